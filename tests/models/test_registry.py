"""MODEL_LIST.MD is read as the document that it is, and refused by line where it cannot be."""

import pytest
from testing.builders import FROZEN_LIST, LONG_AGO, ROOT
from testing.model_lists import assert_refused

from parley.errors import ConfigurationError
from parley.models import model_list

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


def names(stages, options, today) -> tuple[str, ...]:
    """What each stage uses."""
    chosen = (models.resolve(options.get(stage, ""), today) for stage, models in stages.items())
    return tuple(model.name for model in chosen)


def test_the_projects_own_list_has_the_promised_defaults():
    stages = model_list.read(ROOT / "MODEL_LIST.MD")
    assert names(stages, {}, None) == ("whisper-1", "gpt-4o", "tts-1")


@pytest.mark.parametrize(
    ("options", "models"),
    [
        ({}, ("whisper-1", "gpt-4o", "tts-1")),
        ({"stt": "gpt-transcribe"}, ("gpt-transcribe", "gpt-4o", "tts-1")),
        ({"stt": "tts-1"}, ("whisper-1", "gpt-4o", "tts-1")),
        ({"text": "llama-3.1:8b"}, ("whisper-1", "llama-3.1:8b", "tts-1")),
        ({"text": "org/model@v1"}, ("whisper-1", "org/model@v1", "tts-1")),
        ({"text": "not a name"}, ("whisper-1", "gpt-4o", "tts-1")),
        ({"text": "*"}, ("whisper-1", "gpt-4o", "tts-1")),
        ({"tts": "*"}, ("whisper-1", "gpt-4o", "tts-1")),
        ({"tts": "TTS-1"}, ("whisper-1", "gpt-4o", "tts-1")),
    ],
)
def test_a_name_is_used_where_its_stage_lists_it(options, models):
    """Anything else falls back to the stage's default; a row * takes every well-formed name."""
    assert names(model_list.parse(LIST, "LIST.MD"), options, LONG_AGO) == models


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("| whisper-1 | yes |", "| whisper 1 | yes |", 6, "whisper 1"),
        ("| whisper-1 | yes |", "| | yes |", 6, "name"),
        ("| whisper-1 | yes |", "| whisper-1 | maybe |", 6, "maybe"),
        ("| whisper-1 | yes |", "| whisper-1 | |", 4, "no default"),
        ("| `gpt-transcribe` | |", "| `gpt-transcribe` | yes |", 7, "second default"),
        ("| `gpt-transcribe` | |", "| whisper-1 | |", 7, "twice"),
        ("| | * |", "| yes | * |", 13, "* cannot be"),
        ("| default | model |", "| default | name |", 10, "'model'"),
        ("default |\n|---|---|\n| tts", "use |\n|---|---|\n| tts", 16, "'default'"),
        ("## tts", "## stt", 16, "second table"),
        ("## tts", "## speech", 19, "'tts'"),
        ("| tts-1 | yes |\n", "", 16, "no default"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_by_line(old, new, line, word):
    assert_refused(LIST, old, new, line, word)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "PARLEY_MODEL_LIST"),
        (b"\xff\xfe", "PARLEY_MODEL_LIST"),
        (b"## stt, in words\n", r"^OURS\.MD, line 2: "),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content, told):
    """By the setting, or by the file's name as the operator wrote it and the line to correct."""
    if content:
        (tmp_path / "OURS.MD").write_bytes(content)
    with pytest.raises(ConfigurationError, match=told):
        model_list.read(tmp_path / "OURS.MD")


HEARD_AND_SPOKEN = """\
## stt
| model | default | language | voices |
|---|---|---|---|
| a | yes | `language` | |
| b | | languages[] | |
| c | | | |
| * | | language | |

## text
| model | default | language |
|---|---|---|
| t | yes | |

## tts
| model | default | voices | language |
|---|---|---|---|
| s | yes | `ash` nova  af_bella(2)+af_sky | |
| r | | | |
"""


def test_a_row_says_which_voices_a_model_has_and_how_it_takes_a_language():
    """No voices mean any voice, and no field means that no language is sent."""
    stages = model_list.parse(HEARD_AND_SPOKEN, "LIST.MD")
    heard = {name: model.language for name, model in stages["stt"].models.items()}
    assert heard == {"a": "language", "b": "languages[]", "c": "", "*": "language"}
    assert stages["stt"].resolve("other", None).language == "language"
    speaker, any_voice = stages["tts"].models.values()
    assert speaker.voices == ("ash", "nova", "af_bella(2)+af_sky")
    assert [speaker.voice_for(name) for name in ("nova", "Nova", "")] == ["nova", "ash", "ash"]
    assert any_voice.voice_for("Nova") == "Nova"


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("| b | | languages[] |", "| b | | lang |", 5, "'lang'; write language or languages[]"),
        ("| b | | languages[] | |", "| b | | | alloy |", 5, "'voices' belongs to the table of tts"),
        ("| t | yes | |", "| t | yes | language |", 12, "'language' belongs to the table of stt"),
        ("| s | yes | `ash` nova", "| s | yes | ash, nova", 17, "'ash,'"),
        ("| s | yes | `ash` nova", "| s | yes | ash ash", 17, "'ash' twice"),
        ("| r | | | |", "| r | | | languages[] |", 18, "'language' belongs"),
    ],
)
def test_voices_and_languages_that_cannot_be_read_are_refused_by_line(old, new, line, word):
    """An unknown field, a comma, a voice twice, or a cell of another table: the line is named."""
    assert_refused(HEARD_AND_SPOKEN, old, new, line, word)


@pytest.mark.parametrize("path", [ROOT / "MODEL_LIST.MD", FROZEN_LIST], ids=lambda path: path.name)
def test_the_projects_own_lists_know_voices_and_languages(path):
    """Every model that hears takes a language, every one that speaks has alloy as its first."""
    stages = model_list.read(path)
    fields = {name: model.language for name, model in stages["stt"].models.items()}
    assert fields.pop("gpt-transcribe") == "languages[]"
    assert set(fields.values()) == {"language"}
    assert {model.voices[0] for model in stages["tts"].models.values()} == {"alloy"}
    assert "verse" not in stages["tts"].models["tts-1"].voices
    assert "fable" not in stages["tts"].models["gpt-realtime-2.1-mini"].voices
