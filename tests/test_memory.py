"""What conversations hold in memory is counted, and has room on disk or not at all."""

from pathlib import Path

import pytest

from parley.deadline import Deadline
from parley.errors import DeadlineExceeded
from parley.memory import UNCOUNTED_BYTES, Budget, Usage

PIECE = bytes(range(256)) * 256
BUDGET_BYTES = 64 * len(PIECE)


@pytest.fixture
def budget() -> Budget:
    return Budget(BUDGET_BYTES)


def no_disk():
    raise OSError(30, "Read-only file system")


def full_disk():
    return Path("/dev/full").open("w+b")


def written(usage: Usage, pieces: int, **options: bool):
    return usage.spool([PIECE] * pieces, **options)


def test_what_is_small_is_not_counted_and_stays_in_memory(budget):
    """It costs less than the counting would be worth."""
    budget.held = BUDGET_BYTES
    spool = written(Usage(budget), UNCOUNTED_BYTES // len(PIECE))
    assert not spool.is_on_disk
    assert budget.held == BUDGET_BYTES


def test_speech_goes_to_disk_past_half_of_the_budget(budget):
    """So that new conversations can begin, however slowly speech is read."""
    usage = Usage(budget)
    spool = written(usage, 50)
    assert spool.is_on_disk
    assert (spool.size, budget.held) == (50 * len(PIECE), 0)
    spool.seek(4)
    spool.write(b"\0\0")
    spool.seek(0)
    assert spool.read() == PIECE[:4] + b"\0\0" + PIECE[6:] + 49 * PIECE
    usage.release()
    with pytest.raises(ValueError, match="closed file"):
        spool.read()


def test_an_upload_goes_to_disk_once_it_is_counted(budget):
    """However much room there is, so that memory is left for speech."""
    usage = Usage(budget)
    spool = written(usage, 3, prefers_disk=True)
    assert (spool.is_on_disk, usage.size) == (True, 0)
    assert (spool.seek(0, 2), spool.seek(0), spool.read()) == (3 * len(PIECE), 0, 3 * PIECE)
    usage.release()


def test_what_was_overwritten_is_counted_once(budget):
    spool = written(Usage(budget), 10)
    counted = budget.held
    assert counted == 10 * len(PIECE) - UNCOUNTED_BYTES
    spool.seek(4)
    spool.write(b"\0\0")
    assert budget.held == counted
    budget.held = BUDGET_BYTES
    spool.seek(4)
    spool.write(b"\1")
    assert spool.is_on_disk
    assert spool.seek(0, 1) == 5
    budget.held -= BUDGET_BYTES - counted
    spool.close()
    spool.close()
    assert budget.held == 0


@pytest.mark.parametrize("prefers_disk", [False, True], ids=["speech", "upload"])
@pytest.mark.parametrize("disk", [no_disk, full_disk])
def test_without_a_disk_files_stay_in_memory_while_there_is_room(
    budget, disk, prefers_disk, monkeypatch
):
    """Then it fails with the disk's error, and holds none; nobody else does. It is asked once."""
    asked = []
    monkeypatch.setattr("parley.memory.TemporaryFile", lambda: asked.append(disk) or disk())
    usage = Usage(budget)
    spool = written(usage, 60, prefers_disk=prefers_disk)
    assert (spool.is_on_disk, len(asked)) == (False, 1)
    held = budget.held
    with pytest.raises(OSError, match=r"No space|Read-only"):
        written(Usage(budget), 60, prefers_disk=prefers_disk)
    assert (budget.held, spool.read()) == (held, 60 * PIECE)


@pytest.mark.parametrize(
    ("text", "least"), [("", 0), ("a" * 1_000_000, 2_000_000), ("é" * 100_000, 700_000)]
)
def test_a_release_gives_all_of_it_back_once(budget, text, least):
    """Of a text, what it takes itself, and as JSON."""
    usage = Usage(budget)
    usage.add_text(text)
    assert usage.size >= least
    written(usage, 10)
    assert budget.held > 0
    usage.release()
    usage.add(BUDGET_BYTES)
    assert budget.held == 0
    usage.release()
    assert budget.held == 0


def test_a_long_answer_waits_for_room(budget):
    """Until the deadline; one that is short is not held up."""
    usage, others = Usage(budget), Usage(budget)
    others.add(2 * BUDGET_BYTES)
    assert list(usage.counted([PIECE], Deadline.after(5))) == [PIECE]
    with pytest.raises(DeadlineExceeded):
        list(usage.counted([PIECE] * 4, Deadline.after(0.2)))
    pieces = usage.counted([PIECE] * 4, Deadline.after(5))
    for _ in range(3):
        next(pieces)
    others.release()
    assert next(pieces) == PIECE
    assert budget.held == 4 * len(PIECE) - UNCOUNTED_BYTES
    pieces.close()
    assert budget.held == 0
