"""CHATS: no routes yet."""

from flask import Blueprint

bp = Blueprint("chats", __name__, url_prefix="/api/chats")
