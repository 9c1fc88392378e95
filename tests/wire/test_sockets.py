"""A wait for a socket ends by the kernel's limit and by ours, and holds up nobody."""

import errno
import socket
import subprocess
import sys
import time

import gevent
import pytest
import trustme
from testing.transport_calls import post

from parley.errors import DeadlineExceeded, UpstreamTimeout
from parley.wire.sockets import YieldingSocket
from parley.wire.transport import Transport

LISTEN = """
import socket, ssl, sys, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
listener.settimeout(20)
connection, _ = listener.accept()
connection.settimeout(20)
"""
FLOOD = """
connection.recv(65536)
connection.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
until = time.monotonic() + 20
while time.monotonic() < until:
    connection.sendall(b"1\\r\\nx\\r\\n" * 10000)
"""
TICKETS = """
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
context.num_tickets, context.keylog_filename = 0, sys.argv[2]
tls = context.wrap_socket(connection, server_side=True)
assert tls.cipher()[0] == "TLS_AES_256_GCM_SHA384"
[secret] = [line.split()[2] for line in open(sys.argv[2]) if "SERVER_TRAFFIC_SECRET_0" in line]


def derived(label, size):  # RFC 8446, 7.1 and 7.3
    info = size.to_bytes(2) + bytes([6 + len(label)]) + b"tls13 " + label + b"\\0"
    return HKDFExpand(SHA384(), size, info).derive(bytes.fromhex(secret))


cipher, vector = AESGCM(derived(b"key", 32)), int.from_bytes(derived(b"iv", 12))
ticket = b"\\4\\0\\0\\x0f" + bytes(8) + b"\\0" + b"\\0\\2xx" + b"\\0\\0"
record = ticket * 800 + b"\\x16"  # A handshake message each, and their type: RFC 8446, 4.6.1
head = b"\\x17\\3\\3" + (len(record) + 16).to_bytes(2)
until, number = time.monotonic() + 20, 0
while time.monotonic() < until:
    nonce = (vector ^ number).to_bytes(12)
    socket.socket.sendall(tls, head + cipher.encrypt(nonce, record, head))
    number += 1
"""


def test_a_connection_that_the_kernel_gives_up_is_not_waited_for(transport, upstream, monkeypatch):
    """What it has given up once never becomes ready: the call ends now, not at its deadline."""

    def receive(sock: socket.socket, *arguments: object) -> int:
        if isinstance(sock, YieldingSocket):
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")
        return real(sock, *arguments)

    real = socket.socket.recv_into
    monkeypatch.setattr(socket.socket, "recv_into", receive)
    began = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        post(transport, upstream.url, seconds=8)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("scheme", "flood"), [("http", FLOOD), ("https", TICKETS)])
def test_an_upstream_that_floods_does_not_hold_up_others(scheme, flood, tmp_path):
    """While it always has more to read, whoever else has something to do gets to do it.

    A TLS server may send any number of session tickets (RFC 8446, 4.6.1), which are no data.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "chain.pem"
    )
    transport = Transport(8, ca_bundle=str(tmp_path / "ca.pem"))
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN + flood, str(tmp_path / "chain.pem"), str(tmp_path / "keys")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        url = f"{scheme}://127.0.0.1:{int(server.stdout.readline())}/v1"
        began = time.monotonic()
        flooded = gevent.spawn(give_up, transport, url, 6)
        last, longest = time.monotonic(), 0.0
        while not flooded.ready():
            time.sleep(0.01)
            now = time.monotonic()
            last, longest = now, max(longest, now - last)
        server.kill()
    flooded.get()
    assert 6 <= time.monotonic() - began < 12
    # Whoever is held up waits for nearly all of the six seconds.
    assert longest < 2


def give_up(transport, url, seconds):
    with pytest.raises(DeadlineExceeded):
        post(transport, url, limit=10**9, seconds=seconds)
