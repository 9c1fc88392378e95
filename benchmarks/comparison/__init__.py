"""What `make compare` measures, one module for each kind of load, and how it is told."""
