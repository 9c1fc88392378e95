"""What an upstream does to a connection before anything is asked over it."""

import socket
import time

from testing.upstream_faults import drip, reset


def closes(connection: socket.socket) -> bool:
    return False


def is_reset(connection: socket.socket) -> bool:
    reset(connection)
    return False


def is_silent(connection: socket.socket) -> bool:
    time.sleep(2)
    return False


def speaks_no_tls(connection: socket.socket) -> bool:
    connection.sendall(b"220 mail.example ESMTP\r\n")
    return False


def drips_its_handshake(connection: socket.socket) -> bool:
    drip(connection, b"\x16\x03\x03\x10\x00", b"\x02")
    return False
