"""EMBEDDING: no routes yet."""

from flask import Blueprint

bp = Blueprint("embedding", __name__, url_prefix="/api/embedding")
