"""TTS: no routes yet."""

from flask import Blueprint

bp = Blueprint("tts", __name__, url_prefix="/api/tts")
