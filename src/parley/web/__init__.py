"""The web room, HTTP in and out: admission, uploads, answers, streams, the request log.

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
    "model_choice",
    "representation",
    "request_record",
    "request_schema",
    "services",
    "serving",
    "sound",
    "speech_json",
    "stage_routes",
    "uploads",
]
