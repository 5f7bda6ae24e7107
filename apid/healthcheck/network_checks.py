"""The checks that need no program: connect, ask a name server. They block; they run in a child with a deadline."""

from __future__ import annotations

import os
import socket

from apid.healthcheck.dns import Kind, encode_query, is_answer, read_answer

RESEND_SECONDS = 1.0
DATAGRAM = 4096


def check_tcp(host: str, port: int, seconds: float) -> str:
    """Connect within so many `seconds` (0: no limit); return "" or what went wrong."""
    try:
        socket.create_connection((host, port), timeout=seconds or None).close()
    except OSError as error:
        return f"TCP {host} port {port}: {error.strerror or error}"
    except UnicodeError as error:  # a host name that cannot be one
        return f"TCP {host} port {port}: {error}"
    return ""


def check_dns(name: str, server: str, port: int) -> str:
    """Ask for A, then for AAAA records; return "" if there is one, or what went wrong. Waits without end."""
    problems = []
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(server, port, type=socket.SOCK_DGRAM)[0]
        for record in Kind:
            with socket.socket(family, kind, protocol) as sock:
                sock.connect(address)
                found, problem = _ask(sock, name, record)
            if found:
                return ""
            problems.append(problem)
            if problem != f"no {record.name} record":
                break
    except (OSError, ValueError) as error:
        problems.append(str(error))
    return f"DNS {name} at {server} port {port}: {', '.join(problems)}"


def _ask(sock: socket.socket, name: str, kind: Kind) -> tuple[int, str]:
    query = encode_query(int.from_bytes(os.urandom(2), "big"), name, kind)
    sock.settimeout(RESEND_SECONDS)
    while True:
        sock.send(query)
        try:
            while not is_answer(data := sock.recv(DATAGRAM), query):
                pass
        except TimeoutError:
            continue
        return read_answer(data, kind)
