"""A session's feed to the bridges that subscribed: lossless while they give credit, visibly lossy after that.

A bridge grants credit as fast as it can take octets; the queue for its helper is there, not here. A bridge that is
stopped or too busy gets a bounded backlog, during which the session reads no more from its peer; after `PATIENCE`
seconds the session goes on without that bridge, and the next `Feed` says how many items were lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bus.schema import FEED_MESSAGES, FEED_PLAIN, FEED_RECEIVED, FEED_SENT, Feed, Subscribe

BACKLOG = 8 * 1024 * 1024  # octets that wait for one subscriber before the peer is read no more
PATIENCE = 1.0  # seconds for which a subscriber without credit may hold the peer back
FEED_OCTETS = 256 * 1024  # of one Feed message, roughly
ITEM_OVERHEAD = 24  # octets of msgpack and time in an item


@dataclass(slots=True)
class Subscription:
    """One bridge's interest in one session."""

    identity: bytes
    request: Subscribe
    credit: int
    sequence: int = 0
    lost: int = 0
    waiting: list[list[Any]] = field(default_factory=list)
    size: int = 0  # octets in `waiting`
    since: float | None = None  # when items began to wait for credit
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
        if self.credit <= 0 and self.since is None:
            self.since = now
        self.waiting += items
        self.size += size
        if self.size > BACKLOG and self.impatient(now):
            self.lagging = True

    def impatient(self, now: float) -> bool:
        """Whether this subscriber has had no credit for too long."""
        return self.since is not None and now - self.since > PATIENCE

    def holds_back(self, now: float) -> bool:
        """Whether the peer should not be read for this subscriber's sake."""
        return not self.lagging and self.size > BACKLOG and not self.impatient(now)

    def grant(self, octets: int) -> None:
        """Add credit."""
        self.credit += octets
        if self.credit > 0:
            self.since = None

    def next(self, now: float) -> Feed | None:
        """Return what may be sent, one message at a time; None when nothing waits or credit is used up."""
        if self.credit <= 0 or not (self.waiting or self.lagging):
            return None
        self.sequence += 1
        if not self.waiting:
            # All from before the gap is out: from now on the subscriber is up to date again.
            lost, self.lost, self.lagging = self.lost, 0, False
            return Feed(self.request.neighbor, self.sequence, lost, [])
        count, size = 0, 0
        for item in self.waiting:
            if size >= FEED_OCTETS:
                break
            size += len(item[2]) + ITEM_OVERHEAD
            count += 1
        items, self.waiting = self.waiting[:count], self.waiting[count:]
        self.size -= size
        self.credit -= size
        if self.credit <= 0 and self.waiting:
            self.since = now
        return Feed(self.request.neighbor, self.sequence, 0, items)


def sized(items: list[list[Any]]) -> int:
    """Return the octets that items count against credit."""
    return sum(len(item[2]) for item in items) + ITEM_OVERHEAD * len(items)
