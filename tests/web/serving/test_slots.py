"""A conversation's slot is released, whatever happens to its request."""

import resource
from contextlib import contextmanager

import gevent
import pytest
from testing.builders import make_app, wav
from testing.conversation_forms import DEFAULTS, MAIN, check, post

from parley.memory import Budget
from parley.web.admission import admit
from parley.web.serving.slots import SLOT, Slot, Slots, with_slot

CAPACITY = 2
RECORDING_BYTES = 200_000


def free_slots(client) -> int:
    """How many slots are free; all are released again."""
    slots = client.application.extensions["parley"].slots
    taken = 0
    while slots.take():
        taken += 1
    for _ in range(taken):
        slots.release()
    return taken


@pytest.fixture
def client():
    return make_app(PARLEY_CAPACITY=str(CAPACITY)).test_client()


@contextmanager
def full_disk(size):
    """A block with room for so many bytes in a file; pytest writes its own before and after it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_recording_that_finds_no_disk_stays_in_memory(client, openai):
    """As long as the budget has room."""
    with full_disk(1_000):
        assert post(client, audio=wav(10)).status_code == 200


def test_a_full_disk_is_an_answer_and_costs_no_slot(client, openai, caplog):
    """Each caller is told that the service is full, the operator why; the next one finds a slot."""
    for _ in range(2 * CAPACITY):
        # The last bytes are in the file's buffer when it is full: closing it fails as writing did.
        with full_disk(RECORDING_BYTES - 1_000):
            response = post(client, audio=bytes(RECORDING_BYTES))
        assert response.headers["Retry-After"] == "2"
        assert check(response, 503, "overloaded")["models_used"] == DEFAULTS
    told = [record.msg for record in caplog.records if record.levelname == "ERROR"]
    assert [(each["kind"], each["errno"]) for each in told] == [("OSError", "EFBIG")] * 2 * CAPACITY
    assert free_slots(client) == CAPACITY
    assert post(client, audio=wav()).status_code == 200


def test_speech_that_finds_no_room_is_the_failure_of_its_stage(client, openai):
    """Neither in memory nor on disk: the caller has the texts all the same."""
    openai.post("https://api.openai.com/v1/audio/speech", content=b"ID3" + bytes(2**20))
    client.application.extensions["parley"].slots.budget.size = RECORDING_BYTES
    with full_disk(0):
        answer = post(client, audio=wav())
    assert (answer.status_code, answer.json["text_response"]) == (206, "It is noon.")
    assert answer.json["errors"][0].items() >= {"stage": "tts", "code": "internal_error"}.items()


def test_a_section_that_asks_twice_has_one_slot(client, openai):
    @client.application.get("/twice")
    def twice():
        for _ in range(2 * CAPACITY):
            admit()
        return {"free": free_slots(client)}

    with client.get("/twice", headers=MAIN) as response:
        assert response.json == {"free": CAPACITY - 1}
    assert free_slots(client) == CAPACITY


@pytest.mark.parametrize("fails", ["application", "answer", "close", None])
def test_every_end_of_a_request_releases_its_slot_once(fails):
    """Also one that fails after its answer has begun, or while it is closed."""
    slots = Slots(1)

    class Answer:
        def __iter__(self):
            yield b"first"
            if fails == "answer":
                raise OSError("no more")
            yield b"last"

        def close(self):
            if fails == "close":
                raise OSError("no more")

    def application(environ, start_response):
        assert environ[SLOT].take()
        if fails == "application":
            raise OSError("no more")
        return Answer()

    def serve():
        body = with_slot(application, slots, {}, None)
        try:
            list(body)
        finally:
            body.close()

    for _ in range(3):
        if fails:
            with pytest.raises(OSError, match="no more"):
                serve()
        else:
            serve()
        assert slots.take()
        assert not slots.take()
        slots.release()


def test_a_slot_is_released_once():
    slots = Slots(1)
    slot = Slot(slots)
    assert slot.take()
    assert not Slot(slots).take()
    slot.release()
    slot.release()
    assert slots.take()
    assert not slots.take()


def test_no_slot_is_free_while_memory_is_exhausted():
    """Who holds one keeps it, and what it held in memory is free with it."""
    slots = Slots(3, Budget(1))
    first, second = Slot(slots), Slot(slots)
    assert first.take()
    first.usage.add(1_000_000)
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()


def test_no_greenlet_waits_to_release_a_slot():
    """Else all that have answered wait in a row, with their slots, while others are refused."""
    slots, ran = Slots(1), []
    gevent.spawn(ran.append, "another greenlet")
    assert slots.take()
    slots.release()
    assert not ran
