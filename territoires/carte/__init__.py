"""The shared map: what its page tells, tiles, search, layers of the operations."""
