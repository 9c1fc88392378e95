"""Bytes in time: connections, deadlines, addresses; the only room that touches requests.

It may import the ground alone.
"""

__all__ = ["messages", "timed_sockets", "transport", "websocket"]
