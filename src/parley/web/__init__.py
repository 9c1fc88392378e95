"""HTTP in and out: admission, uploads, answers, streams, the request log.

It may import every other room; the commands, the page, blueprints, wsgi.py and gunicorn import it.
"""
