"""The plan finds the least number of dynos that does."""

import json
import random
import statistics
from dataclasses import replace

import pytest
from click.testing import CliRunner

import costs
import plan
from dyno_model import Dyno
from plan import Limits, Load

COSTS = costs.Costs(
    parts_ms=(2.0, 1.0, 1.0, 1.0),
    wake_ms=0.5,
    spread=0.2,
    refusal_ms=1.0,
    favour=0.0,
    stream_ms=20.0,
    stream_pieces=10,
    idle_mb=48,
    in_flight_kb=256,
    measured="2026-11-26",
)
STAGES = (0.5, 1.5, 1.0)


@pytest.mark.parametrize(
    ("a_minute", "dyno", "limits"),
    [
        (18_000, Dyno(2, 2), Limits()),
        (2_000, Dyno(2, 1, 0.25), Limits(p99_ms=100, busy=1)),
        (3_000, Dyno(2, 2), Limits(in_flight=100)),
        (3_000, Dyno(2, 2, capacity=40), Limits()),
    ],
    ids=["busy", "p99", "router", "slots"],
)
def test_one_dyno_less_is_too_few(a_minute, dyno, limits):
    """Whatever the limit is that is reached first, it is kept, and with one less it is not."""
    load = Load(a_minute, STAGES, 0.3)
    found = plan.least(load, dyno, limits, COSTS, 1000)
    assert not found.refused
    assert found.busy <= limits.busy
    assert found.added[1] <= limits.p99_ms
    assert found.in_flight <= limits.in_flight
    assert found.dynos > 1
    assert not plan.figures(load, dyno, found.dynos - 1, COSTS, 1000).keeps(limits)


def test_what_no_number_keeps_is_said():
    """More dynos do not help a caller who is alone."""
    with pytest.raises(ValueError, match="one conversation"):
        plan.least(Load(100, STAGES), Dyno(), Limits(p99_ms=1), COSTS, 1000)


def test_figures_are_those_of_the_load():
    """In flight is rate times time (Little's law), busy is rate times what each computes."""
    found = plan.figures(Load(6000, STAGES), Dyno(), 1, COSTS, 5000)
    assert 300 < found.in_flight < 400
    assert found.busy == pytest.approx(100 * 0.006 / 2, rel=0.2)
    assert found.memory_mb == 48 + found.in_flight / 4
    assert found.whole[0] == pytest.approx(3000 + found.added[0], abs=1)


@pytest.mark.parametrize("streamed", [False, True])
def test_steps_are_what_a_conversation_costs(streamed):
    """On average they compute what was measured, and wait as long as the stages take."""
    rng = random.Random(15)
    drawn = [COSTS.steps(STAGES, rng, spread=0.3, streamed=streamed) for _ in range(4000)]
    computed, waited = (
        statistics.mean(sum(step[place] for step in steps) for steps in drawn) for place in (0, 1)
    )
    assert computed == pytest.approx(COSTS.busy_seconds(streamed=streamed), rel=0.02)
    assert waited == pytest.approx(3.0, rel=0.02)


def test_the_costs_are_kept(tmp_path, monkeypatch):
    """What the check measured is what the plan reads."""
    monkeypatch.setattr(costs, "FILE", tmp_path / "costs.json")
    COSTS.keep()
    assert costs.kept() == COSTS
    assert "parts_ms" in json.loads(costs.FILE.read_text())


def test_the_command_shows_its_answer(monkeypatch):
    """The least number of dynos is marked; one less and one more are beside it."""
    monkeypatch.setattr(plan, "kept", lambda: replace(COSTS, parts_ms=(20.0, 10.0, 10.0, 10.0)))
    monkeypatch.setattr(plan, "CONVERSATIONS", 1000)
    done = CliRunner().invoke(plan.main, ["--a-minute", "6000"])
    assert done.exit_code == 0, done.output
    counts = [line.split()[0] for line in done.output.splitlines() if line.split()[0].isdigit()]
    marked = [line.split()[0] for line in done.output.splitlines() if line.endswith("*")]
    assert counts == [str(int(marked[0]) + step) for step in (-1, 0, 1)]
    refused = CliRunner().invoke(plan.main, ["--a-minute", "10", "--p99", "1"])
    assert refused.exit_code == 2
    assert "one conversation" in refused.output


@pytest.mark.parametrize(
    "wrong",
    [
        ("--a-minute", "0"),
        ("--a-minute", "-5"),
        *((name, "0") for name in ("--workers", "--cores", "--core", "--capacity", "--busy")),
        ("--stt", "-1"),
    ],
)
def test_what_cannot_be_simulated_is_told(wrong):
    """The option at fault is named, in place of a traceback."""
    done = CliRunner().invoke(plan.main, ["--a-minute", "10", *wrong])
    assert done.exit_code == 2
    assert wrong[0] in done.output
