"""A conversation's place comes back, whatever happens to its request."""

import resource
from io import BytesIO
from threading import Semaphore

import pytest
from testing.builders import KEY, make_app, wav

from parley.web.slots import PLACE, Place, giving_back

HEADERS = {"X-OpenAI-API-Key": KEY}
CAPACITY = 2
RECORDING_BYTES = 200_000


def free_places(client) -> int:
    """How many places there are; all are left again."""
    places = client.application.extensions["parley"].places
    taken = 0
    while places.acquire(blocking=False):
        taken += 1
    for _ in range(taken):
        places.release()
    return taken


@pytest.fixture
def client():
    return make_app(PARLEY_CAPACITY=str(CAPACITY)).test_client()


@pytest.fixture
def full_disk():
    """The last bytes of a recording find no room, as on a full disk.

    They are in the file's buffer then, and closing it fails as writing did.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (RECORDING_BYTES - 1_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_answer_and_costs_no_place(client, openai, full_disk):
    """Each upload that cannot be written is told so, and the next finds its place."""
    for _ in range(2 * CAPACITY):
        data = {"audio": (BytesIO(bytes(RECORDING_BYTES)), "a.wav")}
        with client.post("/api/conversation/", headers=HEADERS, data=data) as response:
            assert response.status_code == 500
            assert response.json["errors"][0]["code"] == "internal_error"
            assert response.json["models_used"]["stt"] == "whisper-1"
    assert free_places(client) == CAPACITY
    data = {"audio": (BytesIO(wav()), "a.wav")}
    with client.post("/api/conversation/", headers=HEADERS, data=data) as response:
        assert response.status_code == 200


def test_a_section_that_asks_twice_has_one_place(client, openai):
    """It is one request, and gives one place back."""
    services = client.application.extensions["parley"]

    @client.application.get("/twice")
    def twice():
        for _ in range(2 * CAPACITY):
            services.upstream_for(twice.headers)
        return {"free": free_places(client)}

    twice.headers = {**HEADERS}
    with client.get("/twice", headers=HEADERS) as response:
        assert response.json == {"free": CAPACITY - 1}
    assert free_places(client) == CAPACITY


@pytest.mark.parametrize("fails", ["application", "answer", "close", None])
def test_every_end_of_a_request_gives_its_place_back_once(fails):
    """Also one that fails after its answer has begun, or while it is closed."""
    places = Semaphore(1)

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
        assert environ[PLACE].take()
        if fails == "application":
            raise OSError("no more")
        return Answer()

    def serve():
        body = giving_back(application, places)({}, None)
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
        assert places.acquire(blocking=False)
        assert not places.acquire(blocking=False)
        places.release()


def test_a_place_is_left_once():
    """Who leaves twice gives nobody else's place away."""
    places = Semaphore(1)
    place = Place(places)
    assert place.take()
    assert not Place(places).take()
    place.leave()
    place.leave()
    assert places.acquire(blocking=False)
    assert not places.acquire(blocking=False)
