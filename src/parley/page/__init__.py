"""The page to talk to the service, and what serves it. It may import `models` and `web`."""

__all__ = ["blueprint"]
