"""What the calls of OpenAI's API mean: what is sent, what comes back, and each failure's name.

It may import `models`, `wire` and the ground.
"""
