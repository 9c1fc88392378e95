"""The models that each stage may use, until when, and what replaces them.

It may import the ground alone. Others may import the registry, the reader of MODEL_LIST.MD that
makes one, and the warnings of models that will shut down.
"""

__all__ = ["model_list", "registry", "shutdown_warnings"]
