"""Parley: its rooms are the folders here; all may import the ground, modules that import none."""
