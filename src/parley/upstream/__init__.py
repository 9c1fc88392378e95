"""What the calls of OpenAI's API mean. It may import `models`, `wire` and the ground."""

__all__ = ["announced_dates", "calls", "client", "realtime", "speech_formats"]
