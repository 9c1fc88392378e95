"""JOBS: no routes yet."""

from flask import Blueprint

bp = Blueprint("jobs", __name__, url_prefix="/api/jobs")
