"""Parley: its rooms, which are the folders here, the ground that they share, and the commands.

The ground is the modules that stand directly in this folder (errors, settings, deadline, memory,
log, redaction, base URLs, recordings and others). It imports no room, and every room may import all
of it.
`commands` may import every room, and only wsgi.py imports it.
"""
