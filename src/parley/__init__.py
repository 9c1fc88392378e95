"""Parley: the ground that every room stands on, and the commands on top of them all.

The ground (errors, settings, deadline, log, redaction, base URLs, audio) imports no room.
"""
