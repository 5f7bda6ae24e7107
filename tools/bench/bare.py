"""The bare way of an announcement: three processes that pass it on over our bus, and do none of the work.

From the helper's pipe to the journal's file, to the session, to the peer: what this takes is what Python, ZeroMQ and
the machine take, and what bgpbus takes longer is its own doing. `speakers.start` starts it like a speaker.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from bgp.message import KEEPALIVE, MessageType, build
from bgp.open import Open
from bgp.shape import Shape
from bus.daemon import collect_garbage_rarely, die_with_parent
from bus.loop import Loop
from bus.schema import Applied, Apply, Batch, Message, Pull
from bus.transport import Client, Server

AS = 65000
EPOCH = "0123456789abcdef"
NEIGHBOR = "127.0.1.1"
LINEAGE = f"{EPOCH}/0"
CREDIT = 256 * 1024
# ORIGIN, an empty AS_PATH, NEXT_HOP, LOCAL_PREF: what an iBGP peer is sent.
ATTRIBUTES = bytes.fromhex("40010100 400200 400304c0000201 40050400000064")
CHUNK = 65536


def bridge(directory: Path, port: int, helper: list[str]) -> None:
    """Start the other two and the helper; pass its lines on, and the answers back."""
    peers = [
        subprocess.Popen([sys.executable, "-m", __spec__.name, role, str(directory), str(port)]) for role in OTHERS
    ]
    process = subprocess.Popen(helper, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    to_helper, from_helper = process.stdin.fileno(), process.stdout.fileno()
    loop = Loop()
    count = 0

    def answered(_message: Message) -> None:
        os.write(to_helper, b"done\n")

    def readable(_events: int) -> None:
        nonlocal count
        prefix = os.read(from_helper, CHUNK).split()[2]
        count += 1
        item = bytes(4) + b"\x18" + socket.inet_aton(prefix.decode().partition("/")[0])[:3]
        client.send(Apply("helper-bench", EPOCH, count, [[NEIGHBOR]], [[0, 1, 1, 1, ATTRIBUTES, [item]]], True))

    client = Client(loop, directory / "ribd", answered, lambda: loop.watch(from_helper, readable), sys.exit)
    loop.on_signal(signal.SIGTERM, loop.stop)
    run(loop)
    for each in (process, *peers):
        each.terminate()


def ribd(directory: Path, _port: int) -> None:
    """Write down what comes, send it on, acknowledge it."""
    loop = Loop()
    journal = os.open(directory / "journal", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    session: tuple[bytes, Pull] | None = None

    def message(identity: bytes, message: Message, octets: bytes) -> None:
        nonlocal session
        if isinstance(message, Pull):
            session = identity, message
        elif isinstance(message, Apply) and session is not None:
            os.write(journal, octets)
            peerd, pull = session
            cursors = [[1, 1, message.sequence, 0]]
            server.send(peerd, Batch(NEIGHBOR, pull.request, LINEAGE, cursors, update(*message.changes[0][4:]), 1, []))
            server.send(identity, Applied(message.sequence, message.epoch))

    server = Server(loop, directory / "ribd", message, sys.exit)
    run(loop)


def update(attributes: bytes, items: list[bytes]) -> bytes:
    """Return the UPDATE that announces one route."""
    body = bytes(2) + len(attributes).to_bytes(2, "big") + attributes + items[0][4:]
    return build(MessageType.UPDATE, body)


def peerd(directory: Path, port: int) -> None:
    """Open the session once ribd is there, and send what comes."""
    loop = Loop()
    connection = socket.socket()
    shape = Shape(local_address=bytes((127, 0, 0, 1))).to_wire()
    position = 0

    def pull() -> None:
        client.send(Pull(NEIGHBOR, position, LINEAGE, shape, [[1, 1, position, 0]], CREDIT))

    def begin() -> None:
        pull()
        connection.connect((NEIGHBOR, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(Open(AS, 0, bytes((10, 0, 0, 1))).message() + KEEPALIVE)

    def message(message: Message) -> None:
        nonlocal position
        if isinstance(message, Batch):
            connection.sendall(message.octets)
            position = message.cursors[0][2]
            pull()

    client = Client(loop, directory / "ribd", message, begin, sys.exit)
    run(loop)


OTHERS = {"ribd": ribd, "peerd": peerd}


def run(loop: Loop) -> None:
    """Serve as a daemon does."""
    collect_garbage_rarely()
    loop.run()


def main(role: str, directory: str, port: str, *helper: str) -> None:
    """Be one of the three: `bridge` starts the others."""
    die_with_parent(os.getppid())
    if role == "bridge":
        bridge(Path(directory), int(port), list(helper))
    else:
        OTHERS[role](Path(directory), int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
