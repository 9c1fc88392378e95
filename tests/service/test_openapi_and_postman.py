"""What callers have at hand: the OpenAPI document under fuzzing, and Postman's requests."""

import re
import sys

import pytest
from testing.builders import KEY, ROOT, ran
from testing.documented_setups import place

pytestmark = pytest.mark.system

NEWMAN = ROOT / "tests" / "service" / "newman" / "node_modules" / ".bin" / "newman"


@pytest.mark.timeout(1100)
def test_no_input_brings_an_answer_that_is_not_documented(tmp_path):
    """2,000 cases and more: no other status, header or shape, no internal error, no key logged."""
    command = f"ip link set lo up && exec {sys.executable} -m testing.schemathesis_run {tmp_path}"
    ran("/usr/bin/unshare", "-n", "sh", "-c", command, tree=ROOT / "tests", seconds=1000)
    # The callers' ids may be any word that the tests or the service have: those are tried, too.
    log = re.sub(" request_id=[^ ]*", "", (tmp_path / "log").read_text())
    statuses = re.findall(r" status=(\d+) ", log)
    assert len(statuses) >= 2000
    assert {"200", "400", "401", "405"} <= set(statuses)
    assert "internal_error" not in log
    assert KEY not in log


def test_postmans_requests_work_against_make_run(tmp_path):
    """Newman runs docs/postman_collection.json against the service and the local engine."""
    here = place(tmp_path)
    collection = ROOT / "docs" / "postman_collection.json"
    variable = f"base_url=http://127.0.0.1:{here.ports['8000']}"
    with here.terminal("make run") as service:
        service.wait_for("Try this: ")
        ran(NEWMAN, "run", collection, "--env-var", variable, seconds=120)
