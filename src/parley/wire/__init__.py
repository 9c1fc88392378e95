"""Sends bytes to upstreams and receives theirs in time: connections, deadlines, addresses.

It may import the ground alone; requests, urllib3 and websockets are used nowhere else.
Others import calls (`transport`, `messages`, `bodies`, `websocket`) and `timed_sockets`.
"""

__all__ = ["bodies", "messages", "timed_sockets", "transport", "websocket"]
