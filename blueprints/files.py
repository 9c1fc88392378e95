"""FILES: no routes yet."""

from flask import Blueprint

bp = Blueprint("files", __name__, url_prefix="/api/files")
