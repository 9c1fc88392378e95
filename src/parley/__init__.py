"""Parley: hears speech, thinks, and speaks."""
