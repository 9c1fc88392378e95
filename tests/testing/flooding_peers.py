"""Upstreams that always have more to send, each in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

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


@contextmanager
def flooding(flood: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The address of one that floods its first caller, and the file of its authority for TLS."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    chain = authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem
    chain.write_to_path(folder / "chain.pem")
    files = [str(folder / "chain.pem"), str(folder / "keys")]
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN + flood, *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        yield f"127.0.0.1:{int(server.stdout.readline())}", str(folder / "ca.pem")
        server.kill()
