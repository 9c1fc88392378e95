"""The web room, HTTP in and out: admission, uploads, answers, streams, the log, the worker.

It may import every other room; the commands, the blueprints, wsgi.py and gunicorn import it.
`__all__` names the modules that they may import; the others are for this room alone.
"""

__all__ = [
    "admission",
    "answers",
    "app",
    "error_handlers",
    "event_stream",
    "openapi",
    "representation",
    "request_connection",
    "schemas",
    "services",
    "slots",
    "sound",
    "speech_json",
    "uploads",
    "worker",
]
