"""Names become addresses, however many ask at once."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from parley.deadline import Deadline
from parley.resolver import Resolver

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


def test_who_asks_the_same_at_once_shares_a_look_up():
    """A crowd of callers does not queue for one name; who comes later asks anew."""
    asked, gate = [], threading.Event()

    def look_up(host, port, **options):
        asked.append(host)
        gate.wait(5)
        return FOUND

    resolver = Resolver(look_up)

    def resolve(_):
        return resolver.resolve("api.example", 443, Deadline.after(5))

    with ThreadPoolExecutor(16) as callers:
        answers = [callers.submit(resolve, number) for number in range(16)]
        threading.Timer(0.3, gate.set).start()
        assert all(answer.result() == [(FOUND[0][0], FOUND[0][4])] for answer in answers)
    assert len(asked) == 1
    resolve(None)
    assert asked == ["api.example"] * 2
