"""The models that each stage may use, until when, and what replaces them. It imports no room."""

__all__ = ["model_list", "registry"]
