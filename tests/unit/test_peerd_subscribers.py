"""The bridges of one session: those that are gone are forgotten, and those that cannot take more are waited for."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

import peerd.feed
from bus.schema import FEED_RECEIVED, Feed, Message, Subscribe
from peerd.subscribers import Subscribers
from tests.unit.rib_bench import FakeLoop

UPDATE = b"\xff" * 16 + b"\x00\x17\x02"
REQUEST = Subscribe("n", "helper", 1 << FEED_RECEIVED, 1 << 2, 0, 1 << 20)


class Bed:
    """The subscribers of a session, and what reached them."""

    def __init__(self) -> None:
        self.loop: Any = FakeLoop()
        self.sent: list[tuple[bytes, Feed]] = []
        self.paused = False
        self.subscribers = Subscribers(self.loop, "n", self._send, self._pause, logging.getLogger("bgpbus.test"))

    def _send(self, identity: bytes, message: Message) -> bool:
        assert isinstance(message, Feed)
        self.sent.append((identity, message))
        return True

    def _pause(self, paused: bool) -> None:
        self.paused = paused

    def feed(self, count: int) -> None:
        """Have so many UPDATEs come in, one by one."""
        for _ in range(count):
            self.subscribers.feed([[self.loop.time, FEED_RECEIVED, UPDATE]])


@pytest.fixture
def bed(monkeypatch: pytest.MonkeyPatch) -> Bed:
    monkeypatch.setattr(peerd.feed, "BACKLOG", 1000)
    return Bed()


def test_a_bridge_that_died_without_credit_is_forgotten_when_its_helper_has_another(bed: Bed) -> None:
    for life in range(3):
        bed.subscribers.add(b"%d" % life, replace(REQUEST, credit=1), [])
        assert not bed.paused
        bed.feed(100)
        assert bed.paused
    bed.subscribers.add(b"other", replace(REQUEST, helper="another"), [])
    bed.sent.clear()
    for identity in (b"0", b"1", b"2"):
        bed.subscribers.credit(identity, 1 << 20)
    assert {identity for identity, _ in bed.sent} == {b"2"}
    bed.feed(1)
    assert {identity for identity, _ in bed.sent} == {b"2", b"other"}
