"""The chain: what happens in a conversation, free of HTTP.

It may import `upstream`, `models` and the ground.
"""
