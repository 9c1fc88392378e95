"""The door: HTTP in and out. Admission, forms, answers, the request log, and the worker.

It may import every other room; only the commands, the blueprints and wsgi.py import it.
"""
