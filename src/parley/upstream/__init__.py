"""OpenAI's API: what each call sends, what its answer means, and each failure's name.

It may import `models`, `wire` and the ground. What leaves it: the client of one conversation with
its calls, its options and the voices that it speaks with, and the shutdown dates of models.
"""

__all__ = ["calls", "client", "options", "shutdown_dates", "voices"]
