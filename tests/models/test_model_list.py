"""MODEL_LIST.MD is read as the document that it is, and refused by line where it cannot be."""

import re
from datetime import date

import pytest
from testing.builders import FROZEN_LIST, ROOT

from parley.errors import ConfigurationError
from parley.models import model_list

LIST = """\
# stt
| model | default | shuts down | replacement | interface | language | voices | parameters |
|---|---|---|---|---|---|---|---|
| a | yes | 2027-01-01 | b | | `language` | | |
| `b` | | 2027-02-01 | c | transcriptions | languages[] | | {"x": 1, "y": "two"} |
| c | | | | | | | |
| d | | 2027-01-15 | | | | | |
| e | | 2027-01-15 | b | | | | |
| * | | | | | language | | {"z": 3} |

## Text
| note | default | model | parameters | language |
|---|---|---|---|---|
| good | yes | t | `{"n": 1, "words": "two words"}` | |

## tts
| model | default | voices | language | interface | parameters |
|---|---|---|---|---|---|
| s | yes | `ash` nova  af_bella(2)+af_sky | | | |
| r | | | | realtime | |
"""


@pytest.mark.parametrize(
    ("stage", "name", "today", "used", "fallback"),
    [
        ("stt", "", date(2026, 12, 31), "a", "b"),
        ("stt", "", date(2027, 1, 1), "b", "c"),
        ("stt", "a", date(2027, 2, 1), "c", None),
        ("stt", "c", date(2026, 12, 31), "c", "a"),
        ("stt", "d", date(2027, 1, 14), "d", "b"),
        ("stt", "d", date(2027, 1, 15), "b", "c"),
        ("stt", "e", date(2027, 2, 1), "c", None),
        ("stt", "no name", date(2027, 2, 1), "c", None),
        ("stt", "org/model-3.1:8b@v1", date(2027, 2, 1), "org/model-3.1:8b@v1", None),
        ("stt", "a", None, "a", "b"),
        ("stt", "d", None, "d", "a"),
        ("stt", "*", None, "a", "b"),
        ("stt", "s", None, "s", None),
        ("text", "s", None, "t", None),
        ("text", "T", None, "t", None),
        ("tts", "*", None, "s", None),
    ],
)
def test_a_name_is_used_where_its_stage_lists_it(stage, name, today, used, fallback):
    """Or by `*`, until it has shut down; else the default is. Its fallback is alive and another."""
    model = model_list.parse(LIST, "LIST.MD")[stage].resolve(name, today)
    assert (model.name, model.fallback and model.fallback.name) == (used, fallback)


def test_a_row_says_how_its_model_is_called():
    """An empty cell, or no column, means the stage's usual interface, and nothing besides."""
    stages = model_list.parse(LIST, "LIST.MD")
    stt, [text], [speaker, reader] = (stage.models.values() for stage in stages.values())
    assert [model.interface for model in stt] == ["transcriptions"] * 6
    assert [model.language for model in stt][:3] == ["language", "languages[]", ""]
    assert stages["stt"].models["b"].parameters == {"x": "1", "y": "two"}
    other = stages["stt"].resolve("other", None)
    assert (other.parameters, other.language) == ({"z": "3"}, "language")
    assert (text.interface, text.parameters) == ("chat", {"n": 1, "words": "two words"})
    assert (speaker.interface, reader.interface) == ("speech", "realtime")
    assert speaker.voices == ("ash", "nova", "af_bella(2)+af_sky")
    assert [speaker.voice_for(name) for name in ("nova", "Nova", "")] == ["nova", "ash", "ash"]
    assert reader.voice_for("Nova") == "Nova"


ADVICE = "'parameters' is not a JSON object; write one, such as "
NO_OBJECTS = [
    *("x", "reasoning_effort=none"),  # The second was how 0.1.0 had it.
    *("[1]", '"x"', "1", "{", "{'a': 1}", '{"a": 1}, b=2', "[" * 100_000),
    # What Python alone takes for JSON (RFC 8259, section 6).
    *('{"a": NaN}', '{"a": [Infinity]}', '{"a": 1e999}'),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("| a | yes |", "| a b | yes |", 4, "a b"),
        ("| a | yes |", "| | yes |", 4, "name"),
        ("| a | yes |", "| a | maybe |", 4, "maybe"),
        ("| a | yes |", "| a | |", 2, "no default"),
        ("| d | |", "| d | yes |", 7, "second default"),
        ("| `b` | |", "| a | |", 5, "twice"),
        ("| * | |", "| * | yes |", 9, "* cannot be"),
        ("default | model |", "default | name |", 12, "'model'"),
        ("note | default |", "note | use |", 12, "'default'"),
        ("## tts", "## stt", 17, "second table"),
        ("## tts", "## speech", 21, "'tts'"),
        ("| 2027-01-01 | b |", "| January | b |", 4, "January"),
        ("| 2027-01-01 | b |", "| 2027-01-01 | * |", 4, "*"),
        ("| 2027-01-01 | b |", "| 2027-01-01 | t |", 4, "t replaces a"),
        ("| 2027-01-01 | b |", "| 2027-01-01 | |", 4, "default"),
        ("| 2027-01-01 | b |", "| 2027-01-01 | a |", 4, "circle"),
        ("| c | | | |", "| c | | 2027-03-01 | |", 6, "default"),
        ("| c | | | |", "| c | | 2027-03-01 | b |", 5, "circle"),
        ("| c | | | |", "| c | | | e |", 5, "circle"),
        ("transcriptions", "realtime", 5, "transcriptions"),
        ("| realtime |", "| chat |", 20, "speech or realtime"),
        ("| languages[] |", "| lang |", 5, "'lang'; write language or languages[]"),
        ("| languages[] | |", "| | alloy |", 5, "'voices' belongs to the table of tts"),
        ('words"}` | |', 'words"}` | language |', 14, "'language' belongs to the table of stt"),
        ("`ash` nova", "ash, nova", 19, "'ash,'"),
        ("`ash` nova", "ash ash", 19, "'ash' twice"),
        *(('{"x": 1, "y": "two"}', text, 5, ADVICE) for text in NO_OBJECTS),
        ('"x": 1', '"x": 1, "x": 1', 5, "'parameters' holds 'x' twice"),
        ('"x": 1', '"b": {"a": 1, "a": 2}', 5, "'parameters' holds 'a' twice"),
        ('"x": 1', '"languages[]": "en"', 5, "'languages[]', which the service itself sends"),
        ('"n": 1', '"stream": true', 14, "'stream', which"),
        ("af_sky | | | |", 'af_sky | | | {"voice": "ash"} |', 19, "'voice', which"),
        ("realtime | |", 'realtime | {"audio": {}} |', 20, "'audio', which"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_by_line(old, new, line, word):
    """A word that is none, a second default, replacements that lead nowhere: the line is named."""
    assert old in LIST
    with pytest.raises(ConfigurationError) as refusal:
        model_list.parse(LIST.replace(old, new, 1), "LIST.MD")
    assert str(refusal.value).startswith(f"LIST.MD, line {line}: ")
    assert word in str(refusal.value)


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


@pytest.mark.parametrize(
    ("text", "fields", "in_a_form"),
    [
        ("", {}, {}),
        ("{}", {}, {}),
        ('{"a": 0.2, "b": "5"}', {"a": 0.2, "b": "5"}, {"a": "0.2", "b": "5"}),
        ('{"a": true, "b": null}', {"a": True, "b": None}, {"a": "true", "b": "null"}),
        ('{"a": {"b": [1, "x"]}}', {"a": {"b": [1, "x"]}}, {"a": '{"b": [1, "x"]}'}),
    ],
)
def test_parameters_are_a_json_object(text, fields, in_a_form):
    """A JSON body has its values as they are; in a form each is text."""
    parsed = model_list.parameters_in(text, "chat")
    assert parsed == fields
    assert [type(value) for value in parsed.values()] == [type(value) for value in fields.values()]
    assert model_list.parameters_in(text, "transcriptions") == in_a_form


def test_every_row_of_the_projects_own_list_has_its_source():
    text = (ROOT / "MODEL_LIST.MD").read_text()
    rows = re.findall(r"(?m)^\|.*\| (?:chat|transcriptions|speech|real).*", text)
    stages = model_list.parse(text, "MODEL_LIST.MD").values()
    assert [stage.default for stage in stages] == ["whisper-1", "gpt-4o", "tts-1"]
    assert len(rows) == sum(len(stage.models) for stage in stages)
    for row in rows:
        for source in re.findall(r"\[([^]]+)\]", row) or ["none"]:
            assert f"\n[{source}]: https://" in text, row


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
