"""What must hold of any input: the properties that several targets share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from apid.render import RECEIVE, Form, NeighborContext, ProcessContext, Renderer
from bgp.errors import NotifyError
from bgp.family import AFI, FAMILIES, IPV6_UNICAST, Family
from bgp.message import HEADER_LENGTH
from bgp.negotiated import EXTENDED_MESSAGE_SIZE, MESSAGE_SIZE, Negotiated
from bgp.nlri import decode, route_key
from bgp.notification import Notification
from bgp.update import Update

NEIGHBOR = NeighborContext("127.0.0.2", "127.0.0.1", 65000, 65001, "10.0.0.1", "neighbor 127.0.0.2")
PROCESS = ProcessContext("host", 2, 1)
WHEN = 1795316966.25

EVERY_FAMILY = tuple(FAMILIES.values())
IPV6_NEXT_HOPS = frozenset((family, AFI.IPV6) for family in EVERY_FAMILY if family.afi == AFI.IPV4)
CONTEXTS = (
    Negotiated(65000, 65001, families=EVERY_FAMILY),
    Negotiated(65000, 65000, families=EVERY_FAMILY, aigp=True),
    Negotiated(65000, 65001, families=EVERY_FAMILY, asn4=False),
    Negotiated(65000, 65000, families=EVERY_FAMILY, asn4=False),
    Negotiated(
        65000,
        65001,
        families=EVERY_FAMILY,
        add_path_send=frozenset(EVERY_FAMILY),
        add_path_receive=frozenset(EVERY_FAMILY),
        next_hop=IPV6_NEXT_HOPS,
        message_size=EXTENDED_MESSAGE_SIZE,
        role=0,
    ),
    Negotiated(65000, 65001, role=4),
    Negotiated(65000, 65000, families=(IPV6_UNICAST, Family(1, 250), Family(4000, 1))),
)
WAYS: tuple[dict[str, Any], ...] = (
    {"layout": "by-next-hop"},
    {"layout": "by-prefix"},
    {"layout": "by-next-hop", "dialect": "4.0.1", "compact": True},
    {"layout": "by-prefix", "dialect": "6.0.0"},
    {"encoder": "text"},
)


class Wrong(Exception):
    """A property that does not hold."""


def require(holds: object, reason: str) -> None:
    """Raise `Wrong` unless it holds."""
    if not holds:
        raise Wrong(reason)


def strict_json(text: str | bytes) -> Any:
    """Parse one line of JSON; raise `Wrong` for what the standard forbids or calls unwise."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        require(len(set(names)) == len(names), f"a name occurs twice in {names}")
        return dict(pairs)

    def refuse(word: str) -> None:
        raise Wrong(f"{word} is not JSON")

    said = text.decode() if isinstance(text, bytes) else text
    require("\n" not in said.rstrip("\n") and "\r" not in said, "an event is one line")
    try:
        return json.loads(said, object_pairs_hook=members, parse_constant=refuse)
    except ValueError as error:
        raise Wrong(f"not JSON: {error}") from error


def sound_error(error: NotifyError, *codes: int) -> None:
    """Check that a NOTIFICATION follows from an error: a code that fits, octets that fit, words that can be logged."""
    notification = Notification.from_error(error)
    message = notification.message()
    require(error.code in codes, f"code {error.code} is not among {codes}")
    require(HEADER_LENGTH + 2 <= len(message) <= MESSAGE_SIZE, f"a NOTIFICATION of {len(message)} octets")
    require(str(error).isprintable() and str(notification).isprintable(), "an error that breaks a log line")


def sound_update(update: Update) -> None:
    """Check what every reader of an UPDATE counts on."""
    require(not (update.error and update.announced), "announced in spite of an error")
    require(update.error is None or update.error.isprintable(), "an error that breaks a log line")
    for family, _, items in update.announced:
        require(items, "an announcement of nothing")
        for item in items:
            route = decode(family, item)
            again = decode(family, route.item())
            require(again == route, f"{route} encodes to {again}")
            require(len(route_key(family, item)) <= len(item), "a key that is longer than its item")
    for family, items in update.withdrawn:
        require(items, "a withdrawal of nothing")
        for item in items:
            route_key(family, item)


def renderers() -> list[Renderer]:
    """Return one renderer for each way of writing events."""
    return [Renderer(NEIGHBOR, PROCESS, **way) for way in WAYS]


def sound_events(
    written: Iterable[Renderer], message: bytes, negotiated: Negotiated | None, form: int, direction: str = RECEIVE
) -> None:
    """Render a message in every way; JSON must be strict, text free of lines that nobody meant."""
    for way, renderer in zip(WAYS, written, strict=True):
        for event in renderer.message(message, WHEN, direction, negotiated, 1, form):
            require(event.endswith(b"\n"), "an event without an end")
            if way.get("encoder") == "text":
                for line in event.decode().rstrip("\n").split("\n"):
                    require(line.startswith(("neighbor 127.0.0.2 ", " header ")), f"a line of its own: {line!r}")
                    require(line.isprintable(), f"a line that cannot be printed: {line!r}")
            else:
                strict_json(event)


EVERY_FORM = Form.PARSED | Form.PACKETS | Form.NEGOTIATED
