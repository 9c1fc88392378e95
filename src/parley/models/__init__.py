"""The models that each stage may use, until when, and what replaces them.

It may import the ground alone. Others may import the registry, and what reads MODEL_LIST.MD.
"""

__all__ = ["model_list", "registry"]
