"""IMAGE: no routes yet."""

from flask import Blueprint

bp = Blueprint("image", __name__, url_prefix="/api/image")
