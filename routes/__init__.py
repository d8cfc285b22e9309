"""Winter service: levels, depots, trucks, circuits."""
