"""STT: no routes yet."""

from flask import Blueprint

bp = Blueprint("stt", __name__, url_prefix="/api/stt")
