"""docs/hosts.md agrees with itself, with the service and with the README."""

import re

from interop.servers import DAY, SERVERS
from testing.builders import ROOT

from parley.base_urls import BaseUrl
from parley.models import model_list

HOSTS = (ROOT / "docs" / "hosts.md").read_text()
README = (ROOT / "README.md").read_text()
KNOWN = HOSTS.partition("## Known hosts\n")[2]


def column(header: str, number: int) -> list[str]:
    """The cells of one column of the table of known hosts whose header line begins so."""
    table = KNOWN.partition(f"| {header}")[2].partition("\n\n")[0].splitlines()[2:]
    return [row.strip("|").split("|")[number].strip() for row in table]


def test_the_sample_list_is_one_that_the_service_reads():
    """Its defaults are used by callers who name no model, and OpenAI's voice becomes its first."""
    [sample] = re.findall(r"```markdown\n(.*?)```", HOSTS, re.DOTALL)
    stages = model_list.parse(sample, "hosts.md").items()
    used = {stage: models.resolve("", None) for stage, models in stages}
    assert used["stt"].language == "language"
    assert used["text"].parameters == {"reasoning_effort": "none"}
    assert (used["tts"].interface, used["tts"].voice_for("alloy")) == ("speech", "af_heart")


def test_every_known_host_has_an_address_names_and_a_note():
    """The tables and the list below them are of the same hosts, with base URLs that are read."""
    hosts = column("host | base URL", 0)
    assert len(hosts) >= 6
    assert column("host | model names", 0) == hosts
    assert re.findall(r"^- \*\*(.+?)\*\*", KNOWN, re.M) == hosts
    for written in column("host | base URL", 1):
        assert BaseUrl.parse(written.strip("`").replace("HOST", "host.example")).path


def test_the_marks_are_those_of_the_tests():
    """Each host is marked as called, with the version and the day of its test, or as read."""
    marks = dict(zip(column("host | base URL", 0), column("host | base URL", 6), strict=True))
    assert {host: mark for host, mark in marks.items() if mark != "read"} == {
        host: f"called: {server.package} {server.version}, {DAY}"
        for host, server in SERVERS.items()
        if host != "aimock"  # It stands for hosts, and is none.
    }


def test_the_readme_leads_to_the_known_hosts():
    paragraph = README.partition("[docs/hosts.md](docs/hosts.md)")[2].partition("\n\n")[0]
    named = " ".join(paragraph.split())
    assert all(host in named for host in column("host | base URL", 0))
