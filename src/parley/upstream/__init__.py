"""OpenAI's API: what each call sends, what its answer means, and which error a failure is.

It may import `models`, `wire` and the ground. Others may import the client of one conversation with
its calls, its options, the formats and the voices of speech, and the shutdown dates of models.
"""

__all__ = ["announced_dates", "calls", "client", "realtime", "speech_formats"]
