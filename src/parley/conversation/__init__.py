"""The chain: hear, think, speak. There is no HTTP in it.

It may import `upstream`, `models` and the ground. What leaves it: the chain, whole and as a stream,
its stages, the events of a spoken reply, and the state of a conversation: what a caller is told.
"""

__all__ = ["event_order", "spoken_reply", "stages", "state"]
