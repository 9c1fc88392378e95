"""The environment is read once, and a bad value stops the start with a sentence that names it."""

import pytest

from parley.errors import StartRefused
from parley.settings import Settings


def test_no_variable_is_required():
    """The service starts on a platform that sets nothing."""
    settings = Settings.from_env({})
    assert str(settings.openai_base_url) == "https://api.openai.com/v1"
    assert settings.model_list == "MODEL_LIST.MD"
    assert settings.log_level == "INFO"


def test_a_blank_variable_counts_as_not_set():
    """A dashboard that keeps an emptied variable changes nothing."""
    assert Settings.from_env({"PARLEY_LOG_LEVEL": " ", "PARLEY_CAPACITY": ""}) == Settings.from_env(
        {}
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PARLEY_OPENAI_BASE_URL", "api.openai.com/v1"),
        ("PARLEY_OPENAI_BASE_URL", "ftp://api.openai.com/v1"),
        ("PARLEY_OPENAI_BASE_URL", "https://user:secret@api.openai.com/v1"),
        ("PARLEY_OPENAI_BASE_URL", "https://api.openai.com/v1?x=1"),
        ("PARLEY_OPENAI_BASE_URL", "https://api.openai.com:port/v1"),
        ("PARLEY_OPENAI_BASE_URL", "https:///v1"),
        ("PARLEY_ALLOWED_BASE_URLS", "https://a.example/v1 b.example"),
        ("PARLEY_CAPACITY", "many"),
        ("PARLEY_CAPACITY", "0"),
        ("PARLEY_CAPACITY", "-1"),
        ("PARLEY_CAPACITY", "1.5"),
        ("PARLEY_LOG_LEVEL", "chatty"),
    ],
)
def test_a_bad_value_is_refused_by_name(variable, value):
    """The operator learns which variable to mend, and no secret in it is repeated."""
    with pytest.raises(StartRefused) as refusal:
        Settings.from_env({variable: value})
    assert variable in str(refusal.value)
    assert "secret" not in str(refusal.value)
