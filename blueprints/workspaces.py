"""WORKSPACES: no routes yet."""

from flask import Blueprint

bp = Blueprint("workspaces", __name__, url_prefix="/api/workspaces")
