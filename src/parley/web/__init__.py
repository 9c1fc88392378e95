"""The web room, HTTP in and out: admission, uploads, answers, streams, the log, the worker.

It may import every other room; the commands, the blueprints, wsgi.py and gunicorn import it.
`__all__` names the modules that they may import; the others are for this room alone.
"""

__all__ = [
    "admission",
    "answers",
    "app",
    "caller_headers",
    "error_handlers",
    "event_stream",
    "log_stream",
    "model_choice",
    "representation",
    "request_connection",
    "request_schema",
    "schemas",
    "services",
    "slots",
    "sound",
    "speech_json",
    "stage_routes",
    "uploads",
    "worker",
]
