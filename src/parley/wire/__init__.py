"""Sends bytes to upstreams and receives theirs, in time. It may import the ground alone."""

__all__ = ["bodies", "sockets", "transport", "websocket"]
