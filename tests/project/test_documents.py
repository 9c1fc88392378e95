"""The documents say what is so."""

import configparser
import dataclasses
import json
import math
import re
from datetime import date

from interop.servers import DAY, SERVERS
from testing.builders import ROOT
from testing.tables import rows

from comparison import documents
from comparison.figures import FIGURES
from comparison.results import medians
from parley.base_urls import BaseUrl
from parley.models import model_list
from parley.settings import Settings
from parley.web.answers import ConversationSchema

README = (ROOT / "README.md").read_text()
LOG = (ROOT / "docs" / "log.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
MODEL_LIST = (ROOT / "MODEL_LIST.MD").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
HOSTS, SCALING, PERFORMANCE = (
    (ROOT / "docs" / f"{name}.md").read_text() for name in ("hosts", "scaling", "performance")
)
KNOWN = HOSTS.partition("## Known hosts\n")[2]
PICTURE = (ROOT / "docs" / "comparison.svg").read_text()
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "comparison.json").read_text())
DOCUMENTS = ("README.md", "API_DOCS.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def test_every_setting_is_documented():
    """README.md's table holds the settings that are read, with their defaults, and no other."""
    table = rows(README, "variable")
    documented = {name for row in table for name in re.findall(r"\w+", row[0])}
    read = {f"PARLEY_{field.name.upper()}" for field in dataclasses.fields(Settings)}
    assert documented == read | {"PORT", "WEB_CONCURRENCY"}
    given = {row[0].strip("`"): row[1] for row in table if row[0].startswith("`PARLEY_")}
    values = {name: value.strip("`") for name, value in given.items() if value.startswith("`")}
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


def test_every_file_that_the_documents_name_or_link_to_exists():
    for name in DOCUMENTS:
        text = (ROOT / name).read_text()
        named = re.findall(r"`((?:src|tests|docs|deploy|blueprints|benchmarks)/[\w./-]*)`", text)
        gone = [path for path in named if not (ROOT / path).exists() and "NAME" not in path]
        assert not gone, name
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
    assert listed == model_list.SENT


def test_every_warning_is_explained():
    """docs/log.md says of each event in the log what it means, and of no other."""
    code = "".join(path.read_text() for path in (ROOT / "src" / "parley").rglob("*.py"))
    events = re.findall(r'(?:\bwarn\("|"event": "|WARNING event=)(\w+)', code)
    assert sorted(row[0].strip("`") for row in rows(LOG, "event")) == sorted(events)


def column(header: str, number: int) -> list[str]:
    """The cells of one column of the table of known hosts whose header line begins so."""
    return [row[number] for row in rows(KNOWN[KNOWN.index(f"| {header}") :], "host")]


def test_the_sample_list_is_one_that_the_service_reads():
    """Its defaults are used by callers who name no model, and OpenAI's voice becomes its first."""
    [sample] = re.findall(r"```markdown\n(.*?)```", HOSTS, re.DOTALL)
    stages = model_list.parse(sample, "hosts.md").items()
    used = {stage: models.resolve("", None) for stage, models in stages}
    assert used["stt"].language == "language"
    assert used["text"].parameters == {"reasoning_effort": "none"}
    assert (used["tts"].interface, used["tts"].voice_for("alloy")) == ("speech", "af_heart")


def test_every_known_host_has_an_address_names_a_note_and_a_mark():
    """The tables, the list below them and README.md are of the same hosts; their URLs are read.

    Each host is marked as called, with the version and the day of its test, or as read.
    """
    hosts = column("host | base URL", 0)
    assert len(hosts) >= 6
    assert column("host | model names", 0) == hosts
    assert re.findall(r"^- \*\*(.+?)\*\*", KNOWN, re.M) == hosts
    for written in column("host | base URL", 1):
        assert BaseUrl.parse(written.strip("`").replace("HOST", "host.example")).path
    paragraph = README.partition("[docs/hosts.md](docs/hosts.md)")[2].partition("\n\n")[0]
    named = " ".join(paragraph.split())
    assert all(host in named for host in hosts)
    marks = dict(zip(hosts, column("host | base URL", 6), strict=True))
    assert {host: mark for host, mark in marks.items() if mark != "read"} == {
        host: f"called: {server.package} {server.version}, {DAY}"
        for host, server in SERVERS.items()
        if host != "aimock"  # It stands for hosts, and is none.
    }


def test_the_table_of_dynos_follows_from_the_formulas():
    """The larger of what the processor and what the router's limit ask for, with a quarter free.

    A conversation takes three seconds.
    """
    [cost] = re.findall(r"\*\*Processor:\*\* conversations a second . ([\d.]+) ms", SCALING)
    assert f"| processor | {cost} ms for each" in SCALING
    table = re.findall(r"^\| ([\d,]+) \| (\d+) \| (\d+) \| (\d+) \|$", SCALING, re.M)
    assert len(table) == 4
    for a_minute, *told in table:
        rate = int(a_minute.replace(",", "")) / 60
        computed = rate * float(cost) / 1000 / 0.75
        routed = rate * 3 / (0.75 * 200)
        dynos = [computed / 2, max(computed / 2, routed), computed / 0.25]
        assert told == [str(math.ceil(number)) for number in dynos], a_minute


def test_the_documented_figures_are_the_runs():
    """The run has all figures, in ours, and no service is left out of all."""
    [found] = documents.BLOCK.finditer(PERFORMANCE)
    assert found[0] == f"{found[1]}{documents.block(RESULTS)}\n{found[2]}"
    known = medians(RESULTS)
    assert set(known) == set(FIGURES)
    ours = {key for key in known if "Parley" in known[key]}
    assert ours == {key for key in FIGURES if not key.startswith("fitting")}  # It has no threads.
    assert set(RESULTS["services"]) == set().union(*known.values())


def test_the_picture_is_of_the_run():
    """README.md and docs/performance.md show a picture with the run's day and its figures."""
    assert "(docs/comparison.svg)" in README
    assert "(comparison.svg)" in PERFORMANCE
    assert f"{RESULTS['day']}, {RESULTS['cores']} cores, {RESULTS['memory_gb']} GB" in PICTURE
    shown = re.findall(r'class="value"[^>]*>([^<]+)<', PICTURE)
    assert len(shown) > 20
    told = {
        f"{value:,.{FIGURES[key].digits}f} {FIGURES[key].unit}"
        for key, by_service in medians(RESULTS).items()
        for value in by_service.values()
    }
    assert set(shown) <= told
