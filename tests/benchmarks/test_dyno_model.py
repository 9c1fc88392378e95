"""The model of a dyno gives what queueing theory gives, where theory has a formula."""

import random
import statistics

import pytest

import dyno_model
from costs import around
from dyno_model import Dyno, Overheads, Result, poisson, simulate

CONVERSATIONS = 20_000
SECONDS = 0.01
"""What a conversation computes, where it only computes."""


def run(dyno, rate, steps, overheads=None, conversations=CONVERSATIONS) -> Result:
    rng = random.Random(15)
    overheads = overheads or Overheads()
    return simulate(dyno, overheads, poisson(rate, conversations, rng), lambda: steps(rng), rng)


def added(result: Result) -> float:
    return statistics.mean(each.added for each in result.outcomes if not each.refused)


@pytest.mark.parametrize("busy", [0.5, 0.8])
def test_the_same_work_for_all_waits_as_in_an_m_d_1_queue(busy, monkeypatch):
    """Pollaczek and Khinchine: the mean wait for work of S seconds is S·busy / 2(1 - busy).

    With slices that have no end, a turn is one conversation's, because each turn accepts one.
    """
    monkeypatch.setattr(dyno_model, "SLICE_SECONDS", 100.0)
    result = run(Dyno(1, 1), busy / SECONDS, lambda _: [(SECONDS, 0.0)])
    assert added(result) - SECONDS == pytest.approx(SECONDS * busy / 2 / (1 - busy), rel=0.04)
    assert result.computed / result.arriving == pytest.approx(busy, rel=0.02)


@pytest.mark.parametrize("busy", [0.5, 0.8])
def test_exponential_work_waits_as_in_an_m_m_1_queue(busy, monkeypatch):
    """The same formula with the variance of exponential work: twice the wait."""
    monkeypatch.setattr(dyno_model, "SLICE_SECONDS", 100.0)
    result = run(
        Dyno(1, 1),
        busy / SECONDS,
        lambda rng: [(rng.expovariate(1 / SECONDS), 0.0)],
        conversations=3 * CONVERSATIONS,
    )
    assert added(result) - SECONDS == pytest.approx(SECONDS * busy / (1 - busy), rel=0.06)


@pytest.mark.parametrize("busy", [0.5, 0.8])
def test_slices_share_the_processor(busy):
    """Processor sharing: work of S seconds takes S / (1 - busy), whatever its variance."""
    result = run(Dyno(1, 1), busy / SECONDS, lambda _: [(SECONDS, 0.0)])
    assert added(result) == pytest.approx(SECONDS / (1 - busy), rel=0.06)


def erlang_b(offered: float, slots: int) -> float:
    """The share that is refused when `offered` conversations would be in flight on average."""
    share = 1.0
    for number in range(1, slots + 1):
        share = offered * share / (number + offered * share)
    return share


@pytest.mark.parametrize("spread", [0.0, 1.0])
@pytest.mark.parametrize(("offered", "slots"), [(10, 10), (20, 10), (100, 90)])
def test_as_many_are_refused_as_erlangs_formula_says(offered, slots, spread):
    """Erlang's B, which depends on the mean of the stages alone and not on their spread."""
    result = run(
        Dyno(1, 1, capacity=slots), offered, lambda rng: [(1e-6, around(1.0, spread, rng))]
    )
    share = statistics.mean(each.refused for each in result.outcomes)
    assert share == pytest.approx(erlang_b(offered, slots), rel=0.06)


@pytest.mark.parametrize("favour", [0.0, 1.0])
def test_two_workers_refuse_more_where_one_takes_most_connections(favour):
    """With slots of their own, workers are as two systems; one that is favoured fills alone."""
    dyno, overheads = Dyno(2, 2, capacity=10), Overheads(favour=favour)
    result = run(dyno, 20, lambda rng: [(1e-6, around(1.0, 1.0, rng))], overheads)
    share = statistics.mean(each.refused for each in result.outcomes)
    assert share == pytest.approx(erlang_b(20, 10) if favour else erlang_b(10, 10), rel=0.06)


@pytest.mark.parametrize("core", [1.0, 0.25])
def test_a_conversation_alone_waits_for_what_it_computes(core):
    """With hardly any load the added time is the parts and the wakes, on a core of that speed."""
    steps = [(0.002, 0.5), (0.001, 1.5), (0.001, 1.0), (0.002, 0.0)]
    result = run(Dyno(2, 2, core), 0.01, lambda _: steps, Overheads(wake=0.0005), 500)
    assert added(result) == pytest.approx((0.006 + 4 * 0.0005) / core, rel=0.01)
    assert result.wakes == 4 * 500


def test_short_work_passes_long_work():
    """A conversation that computes for a second holds up another for a turn at a time."""
    dyno = Dyno(1, 1)
    steps = iter([[(0.0001, 0.1), (1.0, 0.0)], [(0.0001, 0.2), (0.002, 0.0)]])
    result = simulate(dyno, Overheads(), [0.0, 0.001], lambda: next(steps), random.Random(0))
    long, short = result.outcomes
    assert short.whole < 0.25
    assert long.whole == pytest.approx(1.1, abs=0.01)


def test_workers_share_the_cores():
    """Two workers on one core compute no more than one second in a second, and wait for it."""
    steps = [(SECONDS, 0.0)]
    shared, own = (run(Dyno(2, cores), 80, lambda _: steps, conversations=5000) for cores in (1, 2))
    assert shared.computed == pytest.approx(own.computed)
    assert added(own) < 2 * SECONDS < 3 * SECONDS < added(shared)
