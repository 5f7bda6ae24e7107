"""A session's feed to the bridges that subscribed: lossless while they give credit, visibly lossy after that.

A bridge grants credit as fast as it can take octets; the queue for its helper is there, not here. A bridge that is
stopped or too busy gets a bounded backlog, during which the session reads no more from its peer; after `PATIENCE`
seconds the session goes on without that bridge, and the next `Feed` says how many items were lost. The same holds while
the way to the bridge is full: it holds so many messages, which many small ones reach before credit is used up.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from bus.schema import FEED_MESSAGES, FEED_PLAIN, FEED_RECEIVED, FEED_SENT, Feed, Subscribe

BACKLOG = 8 * 1024 * 1024  # octets that wait for one subscriber before the peer is read no more
PATIENCE = 1.0  # seconds for which a subscriber that takes nothing may hold the peer back
FEED_OCTETS = 256 * 1024  # of one Feed message, roughly
ITEM_OVERHEAD = 24  # octets of msgpack and time in an item


class Subscription(Struct):
    """One bridge's interest in one session."""

    identity: bytes
    request: Subscribe
    credit: int
    sequence: int = 0
    lost: int = 0
    waiting: list[list[Any]] = field(default_factory=list)
    size: int = 0  # octets in `waiting`
    since: float | None = None  # when items began to wait
    full: bool = False  # the way to the bridge took no more; what comes is kept until that is tried again
    lagging: bool = False  # items are being dropped

    def wants(self, kind: int, octets: bytes) -> bool:
        """Whether an item is of interest."""
        if kind == FEED_PLAIN:
            kind = FEED_RECEIVED
        if not self.request.kinds >> kind & 1:
            return False
        if kind == FEED_RECEIVED:
            return bool(self.request.received >> octets[18] & 1)
        if kind == FEED_SENT:
            return bool(self.request.sent >> octets[18] & 1)
        return True

    def add(self, items: list[list[Any]], size: int, now: float) -> None:
        """Take items, in order; past patience and backlog BGP messages are dropped and counted.

        Changes of state are few and small, and a helper that missed one would believe in a session that is gone: they
        are dropped only when the backlog is twice as large.
        """
        if self.lagging:
            kept = [item for item in items if item[1] not in FEED_MESSAGES] if self.size < 2 * BACKLOG else []
            self.lost += len(items) - len(kept)
            self.waiting += kept
            self.size += sized(kept)
            return
        if (self.credit <= 0 or self.full) and self.since is None:
            self.since = now
        self.waiting += items
        self.size += size
        if self.size > BACKLOG and self.impatient(now):
            self.lagging = True

    def impatient(self, now: float) -> bool:
        """Whether this subscriber has taken nothing for too long."""
        return self.since is not None and now - self.since > PATIENCE

    def holds_back(self, now: float) -> bool:
        """Whether the peer should not be read for this subscriber's sake."""
        return not self.lagging and self.size > BACKLOG and not self.impatient(now)

    def grant(self, octets: int) -> None:
        """Add credit."""
        self.credit += octets
        if self.credit > 0:
            self.since = None

    def next(self) -> Feed | None:
        """Return what may be sent, one message at a time; None when nothing waits or nothing more can be taken."""
        if self.full or self.credit <= 0 or not (self.waiting or self.lagging):
            return None
        if not self.waiting:
            # All from before the gap is out.
            return Feed(self.request.neighbor, self.sequence + 1, self.lost, [])
        count, size = 0, 0
        for item in self.waiting:
            if size >= FEED_OCTETS:
                break
            size += len(item[2]) + ITEM_OVERHEAD
            count += 1
        return Feed(self.request.neighbor, self.sequence + 1, 0, self.waiting[:count])

    def sent(self, feed: Feed, now: float) -> None:
        """Note that what `next` returned is on its way."""
        self.sequence = feed.sequence
        if not feed.items:
            self.lost, self.lagging = 0, False  # from now on the subscriber is up to date again
        del self.waiting[: len(feed.items)]
        size = sized(feed.items)
        self.size -= size
        self.credit -= size
        self.since = now if self.credit <= 0 and self.waiting else None

    def refused(self, now: float) -> None:
        """Note that what `next` returned found no room."""
        self.full = True
        if self.since is None:
            self.since = now


def sized(items: list[list[Any]]) -> int:
    """Return the octets that items count against credit."""
    return sum(len(item[2]) for item in items) + ITEM_OVERHEAD * len(items)
