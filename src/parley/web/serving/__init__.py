"""How a process serves: its worker, its callers' connections, slots, stops, and the log's thread.

It may import the wire room; the web room, wsgi.py and gunicorn import it.
"""
