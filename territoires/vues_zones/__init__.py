"""Pages of zones limitrophes."""
