"""The chain: hear, think, speak. There is no HTTP in it.

It may import `upstream`, `models` and the ground. What leaves it: the chain and its stages, the
reply as a stream with its events, and the state of a conversation, which is what a caller is told.
"""

__all__ = ["chain", "spoken_reply", "stages", "state", "streaming"]
