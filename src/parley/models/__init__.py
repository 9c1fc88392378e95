"""The models that each stage may use, until when, and what replaces them.

It may import the ground alone. Others may import the registry, and the reader of MODEL_LIST.MD
that makes one.
"""

__all__ = ["model_list", "registry"]
