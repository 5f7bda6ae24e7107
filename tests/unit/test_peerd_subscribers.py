"""The bridges of one session: those that are gone are forgotten, and those that cannot take more are waited for."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from msgspec.structs import replace

import peerd.feed
from bus.schema import FEED_RECEIVED, Feed, Message, Subscribe
from bus.transport import Delivery
from peerd.feed import PATIENCE
from peerd.subscribers import LOOK_AGAIN, Subscribers
from tests.unit.rib_bench import FakeLoop

UPDATE = b"\xff" * 16 + b"\x00\x17\x02"
REQUEST = Subscribe("n", "helper", 1 << FEED_RECEIVED, 1 << 2, 0, 1 << 20)


class Bed:
    """The subscribers of a session, and what reached them."""

    def __init__(self) -> None:
        self.loop: Any = FakeLoop()
        self.sent: list[tuple[bytes, Feed]] = []
        self.room = 1000  # messages that the way to the bridges still takes
        self.paused = False
        self.subscribers = Subscribers(self.loop, "n", self._send, self._pause, logging.getLogger("bgpbus.test"))

    def _send(self, identity: bytes, message: Message) -> Delivery:
        assert isinstance(message, Feed)
        if identity == b"gone":
            return Delivery.GONE
        if not self.room:
            return Delivery.FULL
        self.room -= 1
        self.sent.append((identity, message))
        return Delivery.QUEUED

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


def test_a_bridge_that_is_gone_is_forgotten(bed: Bed) -> None:
    bed.subscribers.add(b"gone", REQUEST, [])
    bed.feed(1)
    assert not bed.subscribers


def test_what_finds_no_room_follows_in_fewer_messages_and_nothing_is_lost(bed: Bed) -> None:
    bed.subscribers.add(b"one", REQUEST, [])
    bed.room = 3
    bed.feed(10)
    assert len(bed.sent) == 3
    bed.loop.pass_time(LOOK_AGAIN)
    bed.feed(5)
    assert len(bed.sent) == 3
    bed.room = 100
    bed.loop.pass_time(LOOK_AGAIN)
    assert [(feed.sequence, len(feed.items)) for _, feed in bed.sent] == [(1, 1), (2, 1), (3, 1), (4, 12)]
    bed.feed(1)
    assert [(feed.sequence, feed.lost) for _, feed in bed.sent][4:] == [(5, 0)]
    bed.loop.pass_time(PATIENCE)
    assert bed.loop._later == []


def test_a_bridge_without_room_holds_the_peer_back_for_no_longer_than_patience_and_then_loses_visibly(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    bed.subscribers.add(b"one", REQUEST, [])
    bed.room = 0
    bed.feed(50)
    assert bed.paused
    bed.loop.pass_time(PATIENCE)
    assert bed.paused
    bed.loop.pass_time(LOOK_AGAIN)
    assert not bed.paused
    bed.feed(8)
    bed.room = 100
    bed.loop.pass_time(LOOK_AGAIN)
    bed.feed(1)
    assert [(len(feed.items), feed.lost) for _, feed in bed.sent] == [(51, 0), (0, 7), (1, 0)]
    assert [record.getMessage() for record in caplog.records] == [
        "bridge does not take its feed peer=n helper=helper",
        "feed lost items peer=n helper=helper lost=7",
    ]


def test_what_waits_when_a_session_ends_is_given_out_for_credit_goes_to_the_next(bed: Bed) -> None:
    bed.subscribers.add(b"one", replace(REQUEST, credit=1), [])
    bed.feed(5)
    assert [len(feed.items) for _, feed in bed.sent] == [1]
    bed.subscribers.end()
    assert [len(feed.items) for _, feed in bed.sent] == [1, 4]
