"""The documents say what is so."""

import configparser
import dataclasses
import json
import re
from datetime import date

from testing.builders import ROOT
from testing.tables import rows

from parley.models.model_list import SENT
from parley.settings import Settings
from parley.web.answers import ConversationSchema

README = (ROOT / "README.md").read_text()
LOG = (ROOT / "docs" / "log.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
MODEL_LIST = (ROOT / "MODEL_LIST.MD").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
DOCUMENTS = ("README.md", "API_DOCS.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def test_every_setting_is_documented():
    """README.md's table holds the settings that are read, and no other."""
    documented = {name for row in rows(README, "variable") for name in re.findall(r"\w+", row[0])}
    read = {f"PARLEY_{field.name.upper()}" for field in dataclasses.fields(Settings)}
    assert documented == read | {"PORT", "WEB_CONCURRENCY"}


def test_the_documented_defaults_are_the_defaults():
    given = {row[0].strip("`"): row[1] for row in rows(README, "variable")}
    values = {
        name: default.strip("`")
        for name, default in given.items()
        if name.startswith("PARLEY_") and default.startswith("`")
    }
    assert len(values) >= 4
    assert Settings.from_env(values) == Settings.from_env({})


def test_every_make_command_of_the_documents_exists():
    """README.md names targets that make knows, and CONTRIBUTING.md tells what each of them does."""
    targets = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.M)) - {"help"}
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.M))
    assert {"run", "test"} <= named <= targets
    told = {row[0].strip("`").removeprefix("make ") for row in rows(CONTRIBUTING, "command")}
    assert told == targets


def test_the_map_names_every_room():
    drawn = README.partition("src/parley/\n")[2].partition("src/local_engine/")[0]
    folders = {path.parent.name for path in (ROOT / "src" / "parley").glob("*/__init__.py")}
    assert set(re.findall(r"^    (\w+)/ ", drawn, re.M)) == folders


def test_every_path_that_the_documents_name_exists():
    for name in DOCUMENTS:
        text = (ROOT / name).read_text()
        named = re.findall(r"`((?:src|tests|docs|deploy|blueprints|benchmarks)/[\w./-]*)`", text)
        gone = [path for path in named if not (ROOT / path).exists() and "NAME" not in path]
        assert not gone, name


def test_the_changelog_knows_the_version():
    """The newest release of CHANGELOG.md is the version in setup.cfg, with its day."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.*)", text, re.M)
    assert headings[0] == "[Unreleased]"
    version, day = re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", headings[1]).groups()
    assert version == config["metadata"]["version"]
    assert date.fromisoformat(day)


def test_every_file_that_the_documents_link_to_exists():
    for document in (*(ROOT / name for name in DOCUMENTS), *(ROOT / "docs").glob("**/*.md")):
        for link in re.findall(r"\]\(((?!http)[^)]+)\)", document.read_text()):
            path, _, heading = link.partition("#")
            linked = document.parent / path if path else document
            assert linked.exists(), link
            headings = re.findall(r"^#+ (.*)", linked.read_text(), re.M) if heading else []
            # As GitHub makes a heading's anchor.
            anchors = (re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings)
            assert heading in ["", *anchors], link


def test_each_decision_has_its_number_its_day_and_its_state():
    """The numbers have no gap, and no two decisions have the same."""
    for number, path in enumerate(sorted((ROOT / "docs" / "adr").iterdir()), 1):
        assert path.name.startswith(f"{number:04}-")
        assert re.match(rf"# {number}\. .+\n\n\d{{4}}-\d\d-\d\d, accepted", path.read_text()), path


def test_the_readme_begins_with_an_answer():
    """What a newcomer gets is seen before any command: the six keys, in their order."""
    before = README.partition("## Try it")[0]
    [sample] = re.findall(r"```json\n(.*?)```", before, re.DOTALL)
    assert list(json.loads(sample)) == list(ConversationSchema().fields)


def test_the_parameters_that_are_refused_are_listed():
    """MODEL_LIST.MD names, by interface, what the service itself sends."""
    told = MODEL_LIST.partition("cannot be set: `model`, and by interface")[2].partition(".")[0]
    listed = {
        interface: {"model", *re.findall(r"`([\w\[\]]+)`", names)}
        for names, interface in re.findall(r"([^()]+)\s\(`(\w+)`\)", told)
    }
    assert listed == SENT


def test_every_warning_is_explained():
    """docs/log.md says of each event in the log what it means, and of no other."""
    events = re.findall(r'"event": "(\w+)', (ROOT / "src" / "parley" / "log.py").read_text())
    assert [row[0].strip("`") for row in rows(LOG, "event")] == events
