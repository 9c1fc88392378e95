"""What shows a key, and what merely shares a word with it."""

import time

import pytest
from testing.builders import KEY, make_app

from parley.redaction import Secrets, valid_request_id

SECRET = KEY.removeprefix("sk-")


def reveals(text, credential):
    return Secrets(credential).shown_in(text)


@pytest.mark.parametrize("prefix", ["", "sk-", "sk-proj-", "sk-svcacct-", "sk-admin-"])
@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer  ", "Basic "])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (SECRET, True),
        (f"Incorrect key: sk-proj-{SECRET[:4]}****", True),
        (f"Incorrect key: ****{SECRET[-4:]}.", True),
        (f"id-{SECRET[7:13]}", True),
        (f"id-{SECRET[-7:-1]}", True),
        (f"id-{SECRET[1:7]}", True),
        (f"id-{SECRET[7:12]}", False),
        (f"id-{SECRET[:3]}-{SECRET[-3:]}-{SECRET[1:6]}", False),
        ("project-42", False),
        ("teddyBear-1", False),
        ("the admin's Bearer sk-proj- of sk-svcacct-", False),
        ("", False),
    ],
)
def test_a_key_shows_by_its_secret_part_alone(scheme, prefix, text, shown):
    """By the first or last four characters of it, or any six: the scheme and prefix are public."""
    assert reveals(text, f"{scheme}{prefix}{SECRET}") is shown


@pytest.mark.parametrize("text", [SECRET[:4], SECRET[-4:], SECRET[5:11], "wxyz", "6789", "z12345"])
@pytest.mark.parametrize("prefix", ["", "Bearer "])
def test_each_key_of_a_header_that_was_sent_twice_counts(prefix, text):
    """It arrives as one, with a comma in between, and is refused; its request is logged."""
    assert reveals(f"id-{text}", f"{prefix}{KEY},sk-proj-wxyz123456789")
    assert reveals(f"id-{text}", f"{prefix}sk-wxyz123456789,{KEY}")


@pytest.mark.parametrize(
    ("text", "credential", "shown"),
    [
        *(("anything of a bearer", none, False) for none in ("", " ", ",", "Bearer", "Bearer ")),
        *(("anything of a bearer", none, False) for none in ("sk-", "Bearer sk-")),
        # Only what stands first is a prefix.
        ("it is wxsk-y", "sk-proj-abcdwxsk-yzefgh", True),
        # Hosts of one's own take keys of any length: a short one shows where it stands whole.
        ("a key: abc", "abc", True),
        ("a key: ab", "abc", False),
    ],
)
def test_what_of_an_odd_credential_is_its_secret(text, credential, shown):
    assert reveals(text, credential) is shown


def test_long_headers_are_compared_at_once():
    """Callers choose both texts, before anything is checked: neither may hold the process."""
    long = "ab" * 4000
    headers = {"X-OpenAI-API-Key": long, "Authorization": f"Bearer {long}", "X-Request-ID": "ba"}
    client = make_app().test_client()
    client.get("/healthz")
    began = time.process_time()
    for name in ("aabb" * 2000, "abb" * 40, "aab" * 2666):
        client.get("/healthz", headers={**headers, "X-Request-ID": name})
    client.get("/healthz", headers={"X-OpenAI-API-Key": "ab,c" * 2000, "X-Request-ID": "x" * 128})
    assert not reveals("aabb" * 2000, "abcde," * 1300)
    for _ in range(3):
        assert not reveals("aabb" * 2000, long)
    assert time.process_time() - began < 0.25


def test_many_ids_are_compared_at_once():
    """A long stream makes thousands of calls, each with an id that the upstream chooses."""
    secrets = Secrets(*(f"{n}{KEY}" * 300 for n in range(4)))
    began = time.process_time()
    for number in range(4500):
        assert valid_request_id(f"req_{number}".ljust(128, "."), secrets)
    assert time.process_time() - began < 1
