"""OpenAI's API: what each call sends, what its answer means, and each failure's name.

It may import `models`, `wire` and the ground. What leaves it: the client of one conversation, and
the shutdown dates of models.
"""

__all__ = ["client", "shutdown_dates"]
