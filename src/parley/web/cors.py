"""Which pages of other origins may call the service, and which headers they may read (CORS)."""

from collections.abc import Sequence

from flask import Flask
from flask_cors import CORS

from parley.web.sound import SOUND_HEADERS

EXPOSED = ("Retry-After", "Server-Timing", "X-Request-ID", *SOUND_HEADERS)
"""The headers of an answer that a page may read."""


def allow(app: Flask, origins: Sequence[str]) -> None:
    """Let pages of these origins call `app`: a star is all of them, and answered with a star."""
    if origins:
        methods = ["GET", "POST"]
        CORS(app, origins=origins, send_wildcard=True, methods=methods, expose_headers=EXPOSED)
