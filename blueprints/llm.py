"""LLM: no routes yet."""

from flask import Blueprint

bp = Blueprint("llm", __name__, url_prefix="/api/llm")
