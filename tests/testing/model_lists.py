"""Model lists that cannot be read: what the refusal must say."""

import pytest

from parley.errors import ConfigurationError
from parley.models import model_list


def assert_refused(text: str, old: str, new: str, line: int, word: str) -> None:
    """Once `old` is replaced by `new`, the list is refused; the message has the line and a word."""
    assert old in text
    with pytest.raises(ConfigurationError) as refusal:
        model_list.parse(text.replace(old, new, 1), "LIST.MD")
    assert str(refusal.value).startswith(f"LIST.MD, line {line}: ")
    assert word in str(refusal.value)
