"""ADMIN: no routes yet."""

from flask import Blueprint

bp = Blueprint("admin", __name__, url_prefix="/api/admin")
