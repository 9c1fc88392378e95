"""How a process serves: its worker, its callers' connections, slots, stops, and the log's thread.

It may import the wire room; the rest of the web room, wsgi.py and gunicorn import it. Nothing here
knows what a conversation is.
"""
