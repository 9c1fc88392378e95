"""Parley: its rooms, which are the folders here, the ground that they share, and the commands.

The ground is the modules that stand directly in this folder, but for `commands`. It imports no
room, and every room may import all of it. `commands` may import every room, and only wsgi.py
imports it.
"""
