"""Sends bytes to upstreams and receives theirs in time: connections, deadlines, addresses.

It may import the ground alone; requests, urllib3 and websockets are used nowhere else.
`__all__` names what others may import: what a call needs, and sockets.
"""

__all__ = ["bodies", "forms", "sockets", "transport", "upstreams", "websocket"]
