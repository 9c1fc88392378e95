"""The environment is read once, and a bad value stops the start with a sentence that names it.

There are as many workers as the container has cores and memory for.
"""

import sys

import pytest
from testing.builders import ran

from parley.errors import ConfigurationError
from parley.settings import Settings
from parley.worker_count import workers

TOKEN = "token-0123456789-abc"


def test_no_variable_is_required():
    """A blank one counts as not set: a dashboard that keeps an emptied variable changes nothing."""
    settings = Settings.from_env({"PARLEY_LOG_LEVEL": " ", "PARLEY_CAPACITY": ""})
    assert settings == Settings.from_env({})
    assert str(settings.openai_base_url) == "https://api.openai.com/v1"
    assert settings.model_list == "MODEL_LIST.MD"
    assert settings.log_level == "INFO"


BAD = {
    "PARLEY_OPENAI_BASE_URL": [
        *("api.openai.com/v1", "ftp://api.openai.com/v1", "https://user:secret@api.openai.com/v1"),
        *("https://api.openai.com/v1?x=1", "https://api.openai.com:port/v1", "https:///v1"),
    ],
    "PARLEY_STT_BASE_URL": ["api.openai.com/v1"],
    "PARLEY_TEXT_BASE_URL": ["https://user:secret@api.openai.com/v1"],
    "PARLEY_TTS_BASE_URL": ["https://api.openai.com/v1?key=secret"],
    "PARLEY_ALLOWED_BASE_URLS": [
        *("https://a.example/v1 b.example", "https://a.example/v1,secret", "* b.example"),
    ],
    "PARLEY_KEY_REQUIRED": ["sk-secret"],
    "PARLEY_CAPACITY": ["sk-secret", "0", "-1", "1.5", "10001", "1_0", "\u0661"],
    "PARLEY_DEADLINE": ["sk-secret", "0.9", "600.1", "-5", "nan", "inf", "2_8"],
    "PARLEY_ALLOWED_ORIGINS": [
        *("app.secret", "https://app.example/", "https://*.example", "https://APP.example"),
        *("https://app.example:port", "https://app.example .*", "null", "null://", "file:///"),
        *("capacitor://localhost/", "capacitor:localhost", "1app://localhost"),
    ],
    "PARLEY_LOG_LEVEL": ["sk-secret", "DEBUG"],  # The second would show no more than INFO.
    "PARLEY_CALLER_TOKENS": [
        *("a-secret-too-short!", f"{TOKEN} another-secret", f"{TOKEN},ein-schlüssel-secret"),
        f"{TOKEN},{TOKEN}-secret",
    ],
    "PARLEY_OPENAI_API_KEY": ["zwei secret"],
    "PARLEY_STT_API_KEY": ["zwei secret"],
    "PARLEY_TEXT_API_KEY": ["zwei secret"],
    "PARLEY_TTS_API_KEY": ["zwei secret", "schlüssel-secret"],
    "HTTPS_PROXY": ["http://secret@proxy.example:none", "http://secret@[::1:3128"],
    "https_proxy": ["http://secret@proxy.example:70000"],
    "HTTP_PROXY": ["http://secret@proxy.example:0"],
    "http_proxy": ["htp://secret@proxy.example:3128"],
    "ALL_PROXY": ["socks5://secret@proxy.example:1080", "secret proxy"],
    "all_proxy": ["http://secret@:3128"],
}


@pytest.mark.parametrize(
    ("variable", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_bad_value_is_refused_by_name(variable, value):
    """The operator learns which variable to mend, and no secret in it is repeated."""
    with pytest.raises(ConfigurationError) as refusal:
        Settings.from_env({"PARLEY_CALLER_TOKENS": TOKEN, variable: value})
    assert variable in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["", "proxy.example:3128", "HTTP://a:b@proxy.example", "https://[::1]:1/"]
)
def test_a_proxy_may_be_written_as_curl_takes_it(url):
    """With a scheme or without; the lower-case variable counts where both are set."""
    assert Settings.from_env({"HTTPS_PROXY": "socks5://x:1", "https_proxy": url, "ALL_PROXY": url})


def test_a_key_may_be_lent_to_callers_with_tokens_only():
    """Without tokens the sentence says why not; with them, a key and a token are two things."""
    with pytest.raises(ConfigurationError, match="anybody could use the key"):
        Settings.from_env({"PARLEY_TTS_API_KEY": "sk-secret"})
    settings = Settings.from_env(
        {"PARLEY_TTS_API_KEY": "sk-secret", "PARLEY_CALLER_TOKENS": f"  {TOKEN}\t{TOKEN}2 "}
    )
    assert settings.caller_tokens == (TOKEN, f"{TOKEN}2")
    assert settings.operator_keys == {"tts_api_key": "sk-secret"}
    assert "secret" not in repr(settings)
    assert TOKEN not in repr(settings)
    with pytest.raises(ConfigurationError, match="PARLEY_STT_API_KEY is also one of") as refusal:
        Settings.from_env({"PARLEY_STT_API_KEY": TOKEN, "PARLEY_CALLER_TOKENS": TOKEN})
    assert TOKEN not in str(refusal.value)


LISTS = {
    "PARLEY_ALLOWED_BASE_URLS": ("http://a.example/v1", "http://b.example/v1"),
    "PARLEY_ALLOWED_ORIGINS": ("https://a.example", "https://b.example"),
    "PARLEY_CALLER_TOKENS": (TOKEN, f"{TOKEN}2"),
}


@pytest.mark.parametrize("comma", [",", ", ", " ,", " , "])
@pytest.mark.parametrize("variable", LISTS)
def test_a_list_with_commas_is_refused(variable, comma):
    """Two entries would be one that nobody sends. The sentence says what separates them."""
    assert Settings.from_env({variable: " ".join(LISTS[variable])})
    for value in (comma.join(LISTS[variable]), f"{LISTS[variable][0]}{comma}"):
        with pytest.raises(ConfigurationError) as refusal:
            Settings.from_env({variable: value})
        told = f"{variable} has a comma; separate its entries by spaces alone."
        assert str(refusal.value) == told


@pytest.mark.parametrize("seconds", ["1", "28.5", "600"])
def test_the_deadline_has_a_range(seconds):
    assert Settings.from_env({"PARLEY_DEADLINE": seconds}).deadline == float(seconds)


def test_origins_are_read_as_browsers_write_them():
    """A scheme and a host, with a port where it is not the scheme's own; or any page at all."""
    origins = [
        *("https://app.example", "http://localhost:3000", "*", "capacitor://localhost"),
        *("tauri://localhost", "ionic://localhost:8080", "app://-", "vscode-webview://0abc"),
        "file://",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://0c6a5e2f-1b2c-4d3e-8f90-123456789abc",
        "safari-web-extension://0C6A5E2F-1B2C-4D3E-8F90-123456789ABC",
    ]
    read = Settings.from_env({"PARLEY_ALLOWED_ORIGINS": " ".join(origins)}).allowed_origins
    assert read == tuple(origins)


MB = 1024 * 1024


@pytest.mark.parametrize(
    ("cores", "files", "expected"),
    [
        (1, {}, 1),
        (3, {}, 3),
        (64, {}, 4),
        (8, {"cpu.max": "max 100000\n"}, 4),
        (8, {"cpu.max": "200000 100000\n"}, 2),
        (8, {"cpu.max": "150000 100000\n"}, 2),
        (8, {"cpu.max": "25000 100000\n"}, 1),
        (2, {"cpu.max": "400000 100000\n"}, 2),
        (8, {"memory.max": f"{512 * MB}\n"}, 4),
        (8, {"memory.max": f"{256 * MB}\n"}, 2),
        (8, {"memory.max": f"{64 * MB}\n"}, 1),
        (8, {"memory.max": "max\n"}, 4),
        (8, {"cpu.max": "300000 100000\n", "memory.max": f"{256 * MB}\n"}, 2),
    ],
)
def test_the_container_decides(tmp_path, cores, files, expected):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert workers(tmp_path, cores) == expected


@pytest.mark.parametrize(("set_to", "expected"), [("3", "3"), (None, str(workers()))])
def test_the_platform_decides_first(monkeypatch, set_to, expected):
    """WEB_CONCURRENCY is gunicorn's own; where a platform sets none, the container decides."""
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    variables = {"WEB_CONCURRENCY": set_to} if set_to else {}
    printed = ran(sys.executable, "-m", "gunicorn", "--print-config", "wsgi:app", **variables)
    [told] = [line.split() for line in printed.splitlines() if line.split()[:1] == ["workers"]]
    assert told[-1] == expected
