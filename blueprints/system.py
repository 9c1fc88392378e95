"""SYSTEM: no routes yet."""

from flask import Blueprint

bp = Blueprint("system", __name__, url_prefix="/api/system")
