"""Parley: the ground that every room stands on, and the commands on top of them all.

The ground (errors, settings, deadline, log, redaction, base URLs, audio, cgroups) imports no room,
and every room may import all of it. `commands` may import every room, and only wsgi.py imports it.
"""
