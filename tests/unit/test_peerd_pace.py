"""The rate limit: how many messages leave in which second."""

from __future__ import annotations

from typing import Any

from bgp.message import KEEPALIVE
from peerd.pace import PacedConnection
from tests.unit.rib_bench import FakeLoop


class Wire:
    """What was sent, message by message."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.queued = 0
        self.closed = False

    def send(self, octets: bytes) -> None:
        self.messages.append(octets)


def paced(rate: int) -> tuple[FakeLoop, Wire, PacedConnection]:
    loop, wire = FakeLoop(), Wire()
    connections: Any = (loop, wire)
    return loop, wire, PacedConnection(connections[0], connections[1], rate)


def test_so_many_messages_leave_in_a_second_and_the_others_wait() -> None:
    loop, wire, connection = paced(2)
    connection.send(KEEPALIVE * 5)
    counts = [len(wire.messages)]
    waiting = [connection.queued]
    for _ in range(3):
        loop.pass_time(1.0)
        counts.append(len(wire.messages))
        waiting.append(connection.queued)
    assert counts == [2, 4, 5, 5]
    assert waiting == [57, 19, 0, 0]
    assert connection.accepted == 95
    assert wire.messages == [KEEPALIVE] * 5


def test_what_a_second_leaves_over_is_not_saved_up() -> None:
    loop, wire, connection = paced(3)
    connection.send(KEEPALIVE)
    loop.pass_time(10.0)
    connection.send(KEEPALIVE * 5)
    assert len(wire.messages) == 4


def test_a_connection_that_closes_leaves_nothing_to_do() -> None:
    loop, wire, connection = paced(1)
    connection.send(KEEPALIVE * 1000)
    wire.closed = True
    loop.pass_time(1.0)
    assert connection.queued == 0
    assert not loop._later
