"""The models that each stage may use, until when, and what replaces them.

It may import the ground alone. What leaves it: the registry, the reader of MODEL_LIST.MD that makes
one, and the warnings of models that will shut down.
"""

__all__ = ["end_warnings", "model_list", "registry"]
