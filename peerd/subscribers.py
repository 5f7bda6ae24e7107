"""The bridges that follow one session: what each is told, and when the peer has to wait for them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from bus.loop import Loop
from bus.schema import Message, Subscribe
from bus.transport import Delivery
from peerd.feed import Subscription, sized

LOOK_AGAIN = 0.1  # seconds between looks at subscribers that hold the peer back, or whose queue is full


class Subscribers:
    """All subscriptions of one session. `pause_reading` is called with whether the peer is to wait."""

    def __init__(
        self,
        loop: Loop,
        session: str,
        to_bridge: Callable[[bytes, Message], Delivery],
        pause_reading: Callable[[bool], None],
        log: logging.Logger,
    ) -> None:
        self._loop, self._session, self._log = loop, session, log
        self._to_bridge, self._pause_reading = to_bridge, pause_reading
        self._subscriptions: dict[bytes, Subscription] = {}
        self._looking = False

    def __bool__(self) -> bool:
        return bool(self._subscriptions)

    def add(self, identity: bytes, request: Subscribe, first: list[list[Any]]) -> None:
        """Begin a bridge's feed with what it needs to understand the rest.

        One of the same helper that is still here is over: a bridge that died without credit is not sent anything that
        would show it.
        """
        for former in [each for each in self._subscriptions.values() if each.request.helper == request.helper]:
            del self._subscriptions[former.identity]
        self._subscriptions[identity] = subscription = Subscription(identity, request, request.credit)
        self._give(subscription, first)
        self._hold_back()

    def remove(self, identity: bytes) -> None:
        """Forget a bridge."""
        self._subscriptions.pop(identity, None)
        self._hold_back()

    def credit(self, identity: bytes, octets: int) -> None:
        """Let a bridge have more."""
        subscription = self._subscriptions.get(identity)
        if subscription is not None:
            subscription.grant(octets)
            self._push(subscription)
            self._hold_back()

    def end(self) -> None:
        """Give out all that waits: this session is over, and credit that still comes is for the one after it."""
        for subscription in list(self._subscriptions.values()):
            subscription.credit = subscription.size + 1
            self._push(subscription)
        self._hold_back()

    def feed(self, items: list[list[Any]]) -> None:
        """Tell every bridge those items that it wants."""
        if not self._subscriptions or not items:
            return
        for subscription in list(self._subscriptions.values()):
            self._give(subscription, items)
        self._hold_back()

    def _give(self, subscription: Subscription, items: list[list[Any]]) -> None:
        wants = subscription.wants
        wanted = [item for item in items if wants(item[1], item[2])]
        if wanted:
            lagged = subscription.lagging
            subscription.add(wanted, sized(wanted), self._loop.now())
            if subscription.lagging and not lagged:
                helper = subscription.request.helper
                self._log.warning("bridge does not take its feed peer=%s helper=%s", self._session, helper)
            self._push(subscription)

    def _push(self, subscription: Subscription) -> None:
        while (feed := subscription.next()) is not None:
            delivery = self._to_bridge(subscription.identity, feed)
            if delivery is Delivery.GONE:
                self._subscriptions.pop(subscription.identity, None)
                return
            if delivery is Delivery.FULL:
                subscription.refused(self._loop.now())
                break
            subscription.sent(feed, self._loop.now())
            if feed.lost:
                helper = subscription.request.helper
                self._log.warning("feed lost items peer=%s helper=%s lost=%d", self._session, helper, feed.lost)

    def _hold_back(self) -> None:
        """Have the peer read only while every subscriber keeps up, or has used up its patience."""
        now = self._loop.now()
        held = any(subscription.holds_back(now) for subscription in self._subscriptions.values())
        self._pause_reading(held)
        if not self._looking and (held or any(each.full for each in self._subscriptions.values())):
            self._looking = True
            self._loop.call_later(LOOK_AGAIN, self._look)

    def _look(self) -> None:
        """Try again where there was no room, and see whether the peer still has to wait."""
        self._looking = False
        for subscription in [each for each in self._subscriptions.values() if each.full]:
            subscription.full = False
            self._push(subscription)
        self._hold_back()
