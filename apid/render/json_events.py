"""Events as JSON lines."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.envelope import Envelope, NeighborContext, ProcessContext
from apid.render.form import SEND
from apid.render.json_layout import LAYOUTS
from apid.render.json_open import BEFORE_OPEN, negotiated_json, open_json
from apid.render.json_update import UpdateJson
from apid.render.notification_text import said
from apid.render.values import address_text, quote, words_text
from bgp.message import HEADER_LENGTH
from bgp.negotiated import Negotiated
from bgp.notification import Notification
from bgp.open import Open
from bgp.operational import ADVISORIES, RESPONSES, Operational
from bgp.refresh import Refresh
from bgp.update import Update

# What the events of octets are called; that of a decoded ROUTE-REFRESH is `refresh`.
PACKETS = {1: "open", 2: "update", 3: "notification", 4: "keepalive", 5: "route-refresh", 6: "operational"}


def packet_name(code: int) -> str:
    """Name a message type as the events of octets do."""
    return PACKETS.get(code, f"unknown-{code}")


def octet_members(message: bytes) -> str:
    """Render header and body as members; a message without a body has none."""
    header, body = message[:HEADER_LENGTH].hex().upper(), message[HEADER_LENGTH:].hex().upper()
    return f', "header": "0x{header}", "body": "0x{body}"' if body else f', "header": "0x{header}"'


class JsonEvents:
    """Render one neighbor's events; `octets` is the whole message where the event is to carry it."""

    __slots__ = ("_dialect", "_envelope", "_layout", "_negotiated", "_updates")

    def __init__(
        self,
        neighbor: NeighborContext,
        process: ProcessContext,
        dialect: Dialect,
        layout: str,
        compact: bool,
    ) -> None:
        self._envelope = Envelope(neighbor, process, dialect)
        self._dialect = dialect
        self._layout = LAYOUTS[layout](dialect, compact)
        self._negotiated = BEFORE_OPEN
        self._updates: dict[str, UpdateJson] = {}

    def session(self, negotiated: Negotiated | None) -> None:
        """Forget what the previous session agreed upon: equal octets may now mean something else."""
        self._negotiated = negotiated or BEFORE_OPEN
        self._updates = {}

    def state(self, when: float, counter: int, state: str, reason: str) -> bytes:
        """Render `connected`, `up`, `down`."""
        why = f', "reason": {quote(reason)}' if state == "down" else ""
        return self._envelope.event("state", when, counter, f', "state": {quote(state)}{why}')

    def fsm(self, when: float, counter: int, state: str) -> bytes:
        """Render a transition."""
        return self._envelope.event("fsm", when, counter, f', "state": {quote(state)}')

    def signal(self, when: float, counter: int, code: int, name: str) -> bytes:
        """Render a signal; its number is a string."""
        return self._envelope.event("signal", when, counter, f', "code": "{code}", "name": {quote(name)}')

    def negotiated(self, when: float, counter: int) -> bytes:
        """Render what the two OPENs agreed upon."""
        return self._envelope.event("negotiated", when, counter, f"{self._negotiated_member()} ")

    def packet(self, when: float, counter: int, direction: str, message: bytes, embed: bool) -> bytes:
        """Render a message as octets."""
        header, body = message[:HEADER_LENGTH].hex().upper(), message[HEADER_LENGTH:].hex().upper()
        said = f'"category": {message[18]}, "header": "0x{header}", "body": "0x{body}"'
        negotiated = f" {self._negotiated_member()}" if embed or self._dialect.always_negotiated else ""
        text = f', "direction": "{direction}", "message": {{ {said} }}{negotiated} '
        return self._envelope.event(packet_name(message[18]), when, counter, text)

    def open(self, when: float, counter: int, direction: str, message: Open, octets: bytes) -> bytes:
        """Render an OPEN."""
        return self._message(
            "open", when, counter, direction, octets, f', "open": {open_json(message, direction != SEND)}'
        )

    def keepalive(self, when: float, counter: int, direction: str, octets: bytes) -> bytes:
        """Render a KEEPALIVE."""
        return self._message("keepalive", when, counter, direction, octets, " ")

    def update(self, when: float, counter: int, direction: str, update: Update, octets: bytes, embed: bool) -> bytes:
        """Render an UPDATE."""
        text = f', "message": {self._of_updates(direction).render(update)}'
        if embed or self._dialect.always_negotiated:
            text += f"{self._negotiated_member()} "
        return self._message("update", when, counter, direction, octets, text)

    def plain(self, when: float, counter: int, direction: str, message: bytes) -> bytes:
        """Render a plain UPDATE."""
        text = f', "message": {self._of_updates(direction).plain(message)}'
        if self._dialect.always_negotiated:
            text += f"{self._negotiated_member()} "
        return self._message("update", when, counter, direction, b"", text)

    def _of_updates(self, direction: str) -> UpdateJson:
        renderer = self._updates.get(direction)
        if renderer is None:
            negotiated = self._negotiated
            add_path = negotiated.add_path_send if direction == SEND else negotiated.add_path_receive
            renderer = self._updates[direction] = UpdateJson(self._dialect, self._layout, negotiated, add_path)
        return renderer

    def notification(self, when: float, counter: int, direction: str, message: Notification, octets: bytes) -> bytes:
        """Render a NOTIFICATION."""
        data, words = said(message, direction != SEND)
        text = f', "message": {quote(words)}' if self._dialect.notification_message else ""
        body = f'"code": {message.code}, "subcode": {message.subcode}, "data": "{data}"{text}'
        return self._message("notification", when, counter, direction, octets, f', "notification": {{ {body} }} ')

    def refresh(self, when: float, counter: int, direction: str, message: Refresh, octets: bytes) -> bytes:
        """Render a ROUTE-REFRESH."""
        afi, safi = message.family.afi_name, message.family.safi_name
        body = f'"afi": "{afi}", "safi": "{safi}", "subtype": "{message.subtype_name}"'
        return self._message("refresh", when, counter, direction, octets, f', "route-refresh": {{ {body} }}')

    def operational(self, when: float, counter: int, direction: str, message: Operational, octets: bytes) -> bytes:
        """Render an OPERATIONAL."""
        body = f'"name": "{message.name}", "afi": "{message.family.afi_name}", "safi": "{message.family.safi_name}"'
        if message.kind in ADVISORIES:
            body += f', "advisory": {quote(words_text(message.advisory))}'
        elif message.kind in RESPONSES:
            router_id = address_text(message.router_id)
            body += f', "router-id": "{router_id}", "sequence": {message.sequence}, "counter": {message.counter}'
        return self._message("operational", when, counter, direction, octets, f', "operational": {{ {body} }}')

    def shutdown(self, when: float) -> bytes:
        """Render that the daemon ends."""
        return self._envelope.notice(when, "shutdown")

    def lost(self, when: float, count: int) -> bytes:
        """Render that events were dropped, and how many."""
        return self._envelope.notice(when, "lost", f', "lost": {count}')

    def _message(self, kind: str, when: float, counter: int, direction: str, octets: bytes, text: str) -> bytes:
        members = octet_members(octets) if octets else ""
        return self._envelope.event(kind, when, counter, f', "direction": "{direction}"{text}', members)

    def _negotiated_member(self) -> str:
        return f', "negotiated": {negotiated_json(self._negotiated)}'
