"""SCHEMA: no routes yet."""

from flask import Blueprint

bp = Blueprint("schema", __name__, url_prefix="/api/schema")
