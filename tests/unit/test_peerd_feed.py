"""A session's feed: in order and complete while there is credit, visibly incomplete after patience has run out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import peerd.feed
from bus.schema import FEED_FSM, FEED_OPENED, FEED_PLAIN, FEED_RECEIVED, FEED_SENT, FEED_STATE, Feed, Subscribe
from peerd.feed import ITEM_OVERHEAD, PATIENCE, Subscription, sized

HEADER = b"\xff" * 16 + b"\x00\x17"
UPDATE, KEEPALIVE, REFRESH = HEADER + b"\x02", HEADER + b"\x04", HEADER + b"\x05"
ALL = sum(1 << kind for kind in (FEED_STATE, FEED_FSM, FEED_OPENED, FEED_RECEIVED, FEED_SENT))


def subscription(credit: int, kinds: int = ALL, received: int = 0xFF, sent: int = 0xFF) -> Subscription:
    return Subscription(b"id", Subscribe("n", "helper", kinds, received, sent, credit), credit)


def item(kind: int, octets: bytes, when: float = 0.0) -> list[Any]:
    return [when, kind, octets]


def add(subscriber: Subscription, *items: list[Any], now: float = 0.0) -> None:
    subscriber.add(list(items), sized(list(items)), now)


def everything(subscriber: Subscription, now: float = 0.0) -> list[Feed]:
    """Take all that may be sent now."""
    feeds = []
    while (feed := subscriber.next()) is not None:
        subscriber.sent(feed, now)
        feeds.append(feed)
    return feeds


@pytest.mark.parametrize(
    ("kinds", "received", "sent", "kind", "octets", "wanted"),
    [
        (1 << FEED_STATE, 0, 0, FEED_STATE, b"up", True),
        (1 << FEED_STATE, 0, 0, FEED_FSM, b"IDLE", False),
        (1 << FEED_RECEIVED, 1 << 2, 0, FEED_RECEIVED, UPDATE, True),
        (1 << FEED_RECEIVED, 1 << 2, 0, FEED_RECEIVED, KEEPALIVE, False),
        (1 << FEED_RECEIVED, 1 << 2, 0, FEED_PLAIN, UPDATE, True),
        (1 << FEED_RECEIVED, 1 << 3, 0, FEED_PLAIN, UPDATE, False),
        (1 << FEED_SENT, 1 << 2, 1 << 2, FEED_PLAIN, UPDATE, False),
        (1 << FEED_RECEIVED, 1 << 2, 1 << 2, FEED_SENT, UPDATE, False),
        (1 << FEED_SENT, 0, 1 << 5, FEED_SENT, REFRESH, True),
        (1 << FEED_SENT, 1 << 5, 0, FEED_SENT, REFRESH, False),
    ],
)
def test_only_what_was_asked_for_is_wanted(
    kinds: int, received: int, sent: int, kind: int, octets: bytes, wanted: bool
) -> None:
    assert subscription(1000, kinds, received, sent).wants(kind, octets) is wanted


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.just("add"), st.lists(st.integers(0, 400), max_size=6))
        | st.tuples(st.just("grant"), st.integers(0, 900)),
        max_size=40,
    )
)
def test_a_feed_with_patience_is_complete_and_in_order(steps: list[tuple[str, Any]]) -> None:
    subscriber = subscription(500)
    given_items: list[list[Any]] = []
    feeds: list[Feed] = []
    for action, value in steps:
        if action == "add":
            items = [item(FEED_RECEIVED, UPDATE + bytes(size)) for size in value]
            given_items += items
            add(subscriber, *items)
        else:
            subscriber.grant(value)
        feeds += everything(subscriber)
    subscriber.grant(1 << 40)
    feeds += everything(subscriber)
    assert [each for feed in feeds for each in feed.items] == given_items
    assert [feed.sequence for feed in feeds] == list(range(1, len(feeds) + 1))
    assert not any(feed.lost for feed in feeds)
    assert subscriber.size == 0
    assert subscriber.waiting == []


def test_credit_is_used_up_by_octets_and_overhead() -> None:
    subscriber = subscription(1)
    add(subscriber, item(FEED_RECEIVED, UPDATE), item(FEED_RECEIVED, UPDATE))
    [feed] = everything(subscriber)
    assert len(feed.items) == 2
    assert subscriber.credit == 1 - 2 * (len(UPDATE) + ITEM_OVERHEAD)
    add(subscriber, item(FEED_RECEIVED, UPDATE))
    assert everything(subscriber) == []
    subscriber.grant(2 * (len(UPDATE) + ITEM_OVERHEAD))
    assert [len(feed.items) for feed in everything(subscriber)] == [1]


def test_one_message_is_not_larger_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peerd.feed, "FEED_OCTETS", 100)
    subscriber = subscription(1 << 30)
    add(subscriber, *(item(FEED_RECEIVED, UPDATE) for _ in range(10)))
    assert [len(feed.items) for feed in everything(subscriber)] == [3, 3, 3, 1]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Subscription:
    """Return a subscriber without credit and with room for little."""
    monkeypatch.setattr(peerd.feed, "BACKLOG", 200)
    return subscription(0)


def test_the_peer_waits_while_the_backlog_is_full_and_patience_lasts(small: Subscription) -> None:
    add(small, *(item(FEED_RECEIVED, UPDATE) for _ in range(4)), now=10.0)
    assert not small.holds_back(10.0)
    add(small, item(FEED_RECEIVED, UPDATE), now=10.0)
    assert small.holds_back(10.0)
    assert small.holds_back(10.0 + PATIENCE)
    assert not small.holds_back(10.1 + PATIENCE)


def test_credit_renews_patience(small: Subscription) -> None:
    add(small, *(item(FEED_RECEIVED, UPDATE) for _ in range(5)), now=10.0)
    small.grant(1)
    assert len(everything(small, 20.0)) == 1
    add(small, *(item(FEED_RECEIVED, UPDATE) for _ in range(5)), now=20.0)
    assert not small.lagging
    assert small.holds_back(20.0 + PATIENCE)


def test_credit_that_is_used_up_at_once_lets_the_peer_wait_no_longer_than_patience(
    small: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peerd.feed, "FEED_OCTETS", 1)
    add(small, *(item(FEED_RECEIVED, UPDATE) for _ in range(9)), now=10.0)
    small.grant(1)
    assert len(everything(small, 20.0)) == 1
    assert small.holds_back(20.0 + PATIENCE)
    assert not small.holds_back(20.1 + PATIENCE)


def test_after_patience_messages_are_dropped_and_counted_until_credit_comes(small: Subscription) -> None:
    add(small, *(item(FEED_RECEIVED, UPDATE) for _ in range(5)), now=0.0)
    add(small, item(FEED_RECEIVED, UPDATE), now=PATIENCE + 1)
    assert small.lagging
    add(small, *(item(FEED_RECEIVED, UPDATE) for _ in range(7)), now=PATIENCE + 2)
    assert everything(small) == []
    small.grant(1 << 20)
    before, gap = everything(small)
    assert (len(before.items), before.lost) == (6, 0)
    assert (gap.items, gap.lost) == ([], 7)
    assert not small.lagging
    add(small, item(FEED_RECEIVED, KEEPALIVE), now=PATIENCE + 3)
    [after] = everything(small)
    assert (after.sequence, after.items, after.lost) == (3, [item(FEED_RECEIVED, KEEPALIVE)], 0)


def test_what_becomes_of_the_session_is_told_even_to_a_subscriber_that_lags(small: Subscription) -> None:
    add(small, *(item(FEED_RECEIVED, UPDATE) for _ in range(5)), now=0.0)
    add(small, item(FEED_RECEIVED, UPDATE), now=PATIENCE + 1)
    life = [item(FEED_STATE, b"down - x"), item(FEED_FSM, b"IDLE"), item(FEED_OPENED, b"open"), item(FEED_STATE, b"up")]
    for each in life:
        add(small, each, item(FEED_RECEIVED, UPDATE), now=PATIENCE + 2)
    small.grant(1 << 20)
    feeds = everything(small)
    told = [each for feed in feeds for each in feed.items]
    assert [each for each in told if each[1] not in (FEED_RECEIVED, FEED_SENT)] == life
    assert sum(feed.lost for feed in feeds) == 4


def test_even_that_is_bounded(small: Subscription) -> None:
    add(small, *(item(FEED_RECEIVED, UPDATE) for _ in range(5)), now=0.0)
    add(small, item(FEED_RECEIVED, UPDATE), now=PATIENCE + 1)
    for _ in range(1000):
        add(small, item(FEED_STATE, b"up"), now=PATIENCE + 2)
    assert small.size < 600
    small.grant(1 << 20)
    feeds = everything(small)
    assert sum(feed.lost for feed in feeds) + sum(len(feed.items) for feed in feeds) == 1006
