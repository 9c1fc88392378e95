"""Parley: its rooms, which are the folders here, and the ground, the modules that all may import.

The ground imports no room. `commands`, which only wsgi.py imports, is no part of it.
"""
