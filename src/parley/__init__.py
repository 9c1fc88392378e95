"""Parley: its rooms, which are the folders here, and the ground, the modules that all may import.

The ground imports no room. `commands` is no part of it: it may import every room, and only wsgi.py
imports it.
"""
