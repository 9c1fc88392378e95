"""The chain: hear, think, speak; no HTTP. It may import `upstream`, `models` and the ground."""

__all__ = ["event_order", "spoken_reply", "stages"]
