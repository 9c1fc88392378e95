"""The page room: the page to talk to the service, and what serves it.

It may import `models` and `web`. What leaves it: its blueprint, which is no section of the API.
"""

__all__ = ["blueprint"]
