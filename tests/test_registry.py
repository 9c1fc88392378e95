"""MODEL_LIST.MD is read as the document that it is, and refused by line where it cannot be."""

from pathlib import Path

import pytest
from support import ROOT

from parley import registry
from parley.errors import StartRefused
from parley.registry import Models

LIST = """\
# Models

## stt
| model | default | note |
|---|---|---|
| whisper-1 | yes | good |
| `gpt-transcribe` | | |

## text
| default | model |
|---|---|
| yes | gpt-4o |
| | * |

## tts
| model | default |
|---|---|
| tts-1 | yes |
"""


def test_the_projects_own_list_has_the_promised_defaults():
    """whisper-1, gpt-4o and tts-1 are used where a caller names nothing."""
    models = registry.read(ROOT / "MODEL_LIST.MD").resolve({})
    assert models == Models(stt="whisper-1", text="gpt-4o", tts="tts-1")


@pytest.mark.parametrize(
    ("options", "models"),
    [
        ({}, Models("whisper-1", "gpt-4o", "tts-1")),
        ({"stt_model": " gpt-transcribe "}, Models("gpt-transcribe", "gpt-4o", "tts-1")),
        ({"stt_model": "tts-1"}, Models("whisper-1", "gpt-4o", "tts-1")),
        ({"text_model": "llama-3.1:8b"}, Models("whisper-1", "llama-3.1:8b", "tts-1")),
        ({"text_model": "org/model@v1"}, Models("whisper-1", "org/model@v1", "tts-1")),
        ({"text_model": "not a name"}, Models("whisper-1", "gpt-4o", "tts-1")),
        ({"text_model": "*"}, Models("whisper-1", "gpt-4o", "tts-1")),
        ({"tts_model": "*"}, Models("whisper-1", "gpt-4o", "tts-1")),
        ({"tts_model": "TTS-1"}, Models("whisper-1", "gpt-4o", "tts-1")),
    ],
)
def test_a_name_is_used_where_its_stage_lists_it(options, models):
    """Anything else falls back to the stage's default; a row * takes every well-formed name."""
    assert registry.parse(LIST, "LIST.MD").resolve(options) == models


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("| whisper-1 | yes |", "| whisper 1 | yes |", 6, "whisper 1"),
        ("| whisper-1 | yes |", "| | yes |", 6, "name"),
        ("| whisper-1 | yes |", "| whisper-1 | maybe |", 6, "maybe"),
        ("| whisper-1 | yes |", "| whisper-1 | |", 4, "no default"),
        ("| `gpt-transcribe` | |", "| `gpt-transcribe` | yes |", 7, "second default"),
        ("| `gpt-transcribe` | |", "| whisper-1 | |", 7, "twice"),
        ("| | * |", "| yes | * |", 13, "*"),
        ("| default | model |", "| default | name |", 10, "'model'"),
        (
            "| model | default |\n|---|---|\n| tts",
            "| model | use |\n|---|---|\n| tts",
            16,
            "'default'",
        ),
        ("## tts", "## stt", 16, "second table"),
        ("## tts", "## speech", 19, "'tts'"),
        ("| tts-1 | yes |\n", "", 16, "no default"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_by_line(old, new, line, word):
    """The operator learns where to look and what is wrong there."""
    assert old in LIST
    with pytest.raises(StartRefused) as refusal:
        registry.parse(LIST.replace(old, new, 1), "LIST.MD")
    assert str(refusal.value).startswith(f"LIST.MD, line {line}: ")
    assert word in str(refusal.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content):
    """A wrong path and a wrong encoding stop the start by naming the setting."""
    path = tmp_path / "LIST.MD"
    if content:
        path.write_bytes(content)
    with pytest.raises(StartRefused, match="PARLEY_MODEL_LIST"):
        registry.read(path)
