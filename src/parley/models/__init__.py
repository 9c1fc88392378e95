"""The registry: which models there are, until when, and what replaces them.

It may import the ground alone.
"""
