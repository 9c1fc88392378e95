"""Bytes in time: connections, deadlines, addresses; the only room that touches requests.

It may import the ground alone.
"""
