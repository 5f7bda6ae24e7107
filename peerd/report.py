"""What others are told of a session: feeds to the bridges that follow it, events to taps, and counters of messages."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import msgpack

from bgp.action import Up
from bgp.fsm import Connection
from bgp.message import MessageType
from bgp.notification import Notification
from bgp.prefix_limit import Crossing
from bgp.refresh import Refresh
from bgp.settings_wire import facts_to_wire
from bus.loop import Loop
from bus.schema import FEED_FSM, FEED_OPENED, FEED_PLAIN, FEED_RECEIVED, FEED_SENT, FEED_STATE, Message, Subscribe
from bus.transport import Delivery, Publisher
from peerd.subscribers import Subscribers


def context_of(source: Up | Connection) -> bytes:
    """Return what a bridge needs to understand the messages of a session."""
    return msgpack.packb([source.sent_open, source.received_open, facts_to_wire(source.facts)])  # type: ignore[no-any-return]


class Report:
    """Everything that is told of one session. `sent` and `received` count messages by type, over all its sessions."""

    def __init__(
        self,
        loop: Loop,
        name: str,
        to_bridge: Callable[[bytes, Message], Delivery],
        pause_reading: Callable[[bool], None],
        publisher: Publisher,
        log: logging.Logger,
    ) -> None:
        self._name, self._publisher = name, publisher
        self._subscribers = Subscribers(loop, name, to_bridge, pause_reading, log)
        self._told = b""  # the context that the bridges were last told
        self.sent: dict[int, int] = {}
        self.received: dict[int, int] = {}

    def subscribe(self, identity: bytes, request: Subscribe, context: bytes) -> None:
        """Begin a bridge's feed, with the context of a session that is up (else empty). No kinds: end it."""
        if not request.kinds:
            self.unsubscribe(identity)
            return
        first: list[list[Any]] = []
        if context:
            now = time.time()
            first = [[now, FEED_OPENED, context], [now, FEED_STATE, b"up"]]
        else:
            self._told = b""  # whoever subscribes between the OPENs and the session must be told, too
        self._subscribers.add(identity, request, first)

    def unsubscribe(self, identity: bytes) -> None:
        """Forget a bridge."""
        self._subscribers.remove(identity)

    def credit(self, identity: bytes, octets: int) -> None:
        """Let a bridge have more."""
        self._subscribers.credit(identity, octets)

    def end(self) -> None:
        """Let the bridges have all that they were not sent yet: nothing more comes."""
        self._subscribers.end()

    # The session's state

    def fsm(self, state: str) -> None:
        """Tell a state of the state machine."""
        self._subscribers.feed([[time.time(), FEED_FSM, state.encode()]])

    def connected(self) -> None:
        """Tell that TCP is there."""
        self._state("connected")

    def opened(self, context: bytes) -> None:
        """Tell what was negotiated: the bridges need it to render the messages that follow."""
        self._told = context
        self._subscribers.feed([[time.time(), FEED_OPENED, context]])

    def up(self, up: Up, context: bytes) -> None:
        """Tell that the session is established."""
        if context != self._told:
            self._subscribers.feed([[time.time(), FEED_OPENED, context]])
        self._state("up")
        self._publisher.publish(f"open/{self._name}", {"sent": up.sent_open, "received": up.received_open})

    def forget_opened(self) -> None:
        """What was agreed is over."""
        self._told = b""

    def down(self, reason: str) -> None:
        """Tell that the session, or the attempt at one, is over."""
        self._state("down", reason)

    def _state(self, state: str, reason: str = "") -> None:
        text = f"{state} - {reason}" if reason else state
        self._subscribers.feed([[time.time(), FEED_STATE, text.encode()]])
        self._publisher.publish(f"state/{self._name}", {"state": state, "reason": reason})

    # Messages

    def sent_message(self, message: bytes) -> None:
        """Tell of a message to the peer that is no UPDATE."""
        kind = message[18]
        self.sent[kind] = self.sent.get(kind, 0) + 1
        self._subscribers.feed([[time.time(), FEED_SENT, message]])
        if kind == MessageType.NOTIFICATION:
            self._notified("send", message)

    def sent_updates(self, octets: bytes, messages: list[bytes]) -> None:
        """Tell of UPDATEs to the peer; `octets` are all of them."""
        self.sent[MessageType.UPDATE] = self.sent.get(MessageType.UPDATE, 0) + len(messages)
        if self._subscribers:
            now = time.time()
            self._subscribers.feed([[now, FEED_SENT, message] for message in messages])
        topic = f"out/{self._name}"
        if self._publisher.wanted(topic):
            self._publisher.publish(topic, {"octets": octets})

    def received_message(self, message: bytes) -> None:
        """Tell of a message from the peer that is no UPDATE."""
        kind = message[18]
        self.received[kind] = self.received.get(kind, 0) + 1
        self._subscribers.feed([[time.time(), FEED_RECEIVED, message]])
        if kind == MessageType.NOTIFICATION:
            self._notified("receive", message)

    def received_updates(self, messages: list[tuple[bytes, bool]], now: float) -> None:
        """Tell of UPDATEs from the peer, read at `now`, that could be understood; each with whether it is plain."""
        self.received[MessageType.UPDATE] = self.received.get(MessageType.UPDATE, 0) + len(messages)
        if self._subscribers:
            self._subscribers.feed(
                [[now, FEED_PLAIN if plain else FEED_RECEIVED, message] for message, plain in messages]
            )
        topic = f"update/{self._name}"
        if messages and self._publisher.wanted(topic):
            self._publisher.publish(topic, {"messages": [message for message, _ in messages]})

    def refresh(self, refresh: Refresh) -> None:
        """Tell that the peer asked for its routes again."""
        afi, safi = refresh.family
        data = {"afi": afi, "safi": safi, "subtype": int(refresh.subtype)}
        self._publisher.publish(f"refresh/{self._name}", data)

    def limit(self, crossing: Crossing) -> None:
        """Tell that the peer has come near a limit of its routes, or gone beyond it."""
        limit = crossing.limit
        afi, safi = limit.family
        what = ("teardown" if limit.teardown else "exceeded") if crossing.exceeded else "warning"
        data = {"afi": afi, "safi": safi, "count": crossing.count, "maximum": limit.maximum, "what": what}
        self._publisher.publish(f"limit/{self._name}", data)

    def _notified(self, direction: str, message: bytes) -> None:
        notification = Notification.decode(message[19:])
        self._publisher.publish(
            f"notification/{self._name}",
            {
                "direction": direction,
                "code": notification.code,
                "subcode": notification.subcode,
                "data": notification.data,
                "text": str(notification),
            },
        )
