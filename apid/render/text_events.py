"""Events as lines of text: each event ends with an empty line."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.envelope import NeighborContext
from apid.render.form import SEND
from apid.render.notification_text import said
from apid.render.text_open import open_text
from apid.render.text_update import UpdateText
from apid.render.values import address_text, one_line, words_text
from bgp.message import HEADER_LENGTH
from bgp.negotiated import Negotiated
from bgp.notification import Notification
from bgp.open import Open
from bgp.operational import ADVISORIES, RESPONSES, Operational
from bgp.refresh import Refresh
from bgp.update import Update

NOTHING = b""


def octets_text(message: bytes) -> str:
    """Render header and body after a space; a message without a body has none."""
    header, body = message[:HEADER_LENGTH].hex().upper(), message[HEADER_LENGTH:].hex().upper()
    return f" header 0x{header} body 0x{body}" if body else f" header 0x{header}"


class TextEvents:
    """Render one neighbor's events; `octets` is the whole message where the event is to carry it.

    FSM transitions, signals and negotiated values have no text.
    """

    __slots__ = ("_dialect", "_negotiated", "_start", "_updates")

    def __init__(self, neighbor: NeighborContext, dialect: Dialect) -> None:
        self._start = f"neighbor {neighbor.peer_address}"
        self._dialect = dialect
        self._negotiated = Negotiated()
        self._updates: dict[str, UpdateText] = {}

    def session(self, negotiated: Negotiated | None) -> None:
        """Forget what the previous session agreed upon: equal octets may now mean something else."""
        self._negotiated = negotiated or Negotiated()
        self._updates = {}

    def state(self, when: float, counter: int, state: str, reason: str) -> bytes:
        """Render `connected`, `up`, `down`."""
        return self._event(f"{state} - {one_line(reason)}" if state == "down" else state)

    def fsm(self, when: float, counter: int, state: str) -> bytes:
        """Render nothing."""
        return NOTHING

    def signal(self, when: float, counter: int, code: int, name: str) -> bytes:
        """Render nothing."""
        return NOTHING

    def negotiated(self, when: float, counter: int) -> bytes:
        """Render nothing."""
        return NOTHING

    def packet(self, when: float, counter: int, direction: str, message: bytes, embed: bool) -> bytes:
        """Render a message as octets, its type as a number."""
        return self._event(f"{direction} {message[18]}{octets_text(message)}")

    def open(self, when: float, counter: int, direction: str, message: Open, octets: bytes) -> bytes:
        """Render an OPEN."""
        return self._message(direction, f"open {open_text(message)}", octets)

    def keepalive(self, when: float, counter: int, direction: str, octets: bytes) -> bytes:
        """Render a KEEPALIVE."""
        return self._message(direction, "keepalive", octets)

    def update(self, when: float, counter: int, direction: str, update: Update, octets: bytes, embed: bool) -> bytes:
        """Render an UPDATE: one line for each route, between `start` and `end`."""
        return self._update(direction, self._of_updates(direction).render(update), octets)

    def plain(self, when: float, counter: int, direction: str, message: bytes) -> bytes:
        """Render a plain UPDATE."""
        return self._update(direction, self._of_updates(direction).plain(message), b"")

    def _of_updates(self, direction: str) -> UpdateText:
        renderer = self._updates.get(direction)
        if renderer is None:
            negotiated = self._negotiated
            add_path = negotiated.add_path_send if direction == SEND else negotiated.add_path_receive
            renderer = self._updates[direction] = UpdateText(self._dialect, negotiated, add_path)
        return renderer

    def _update(self, direction: str, lines: list[str], octets: bytes) -> bytes:
        start = f"{self._start} {direction} update "
        framed = [f"{start}start", *(start + line for line in lines)]
        if octets:
            framed.append(octets_text(octets))
        framed.append(f"{start}end\n\n")
        return "\n".join(framed).encode()

    def notification(self, when: float, counter: int, direction: str, message: Notification, octets: bytes) -> bytes:
        """Render a NOTIFICATION."""
        data, _ = said(message, direction != SEND)
        text = f"notification code {message.code} subcode {message.subcode} data {data}"
        return self._message(direction, text, octets)

    def refresh(self, when: float, counter: int, direction: str, message: Refresh, octets: bytes) -> bytes:
        """Render a ROUTE-REFRESH."""
        afi, safi = message.family.afi_name, message.family.safi_name
        return self._message(direction, f"route-refresh afi {afi} safi {safi} {message.subtype_name}", octets)

    def operational(self, when: float, counter: int, direction: str, message: Operational, octets: bytes) -> bytes:
        """Render an OPERATIONAL."""
        text = f"operational {message.name} afi {message.family.afi_name} safi {message.family.safi_name}"
        if message.kind in ADVISORIES:
            text += f' advisory "{one_line(words_text(message.advisory))}"'
        elif message.kind in RESPONSES:
            router_id = address_text(message.router_id)
            text += f" router-id {router_id} sequence {message.sequence} counter {message.counter}"
        return self._message(direction, text, octets)

    def shutdown(self, when: float) -> bytes:
        """Render that the daemon ends, as one word: helpers compare the line with it."""
        return b"shutdown\n"

    def lost(self, when: float, count: int) -> bytes:
        """Render that events were dropped, and how many."""
        return f"lost {count}\n\n".encode()

    def _message(self, direction: str, text: str, octets: bytes) -> bytes:
        return self._event(f"{direction} {text}{octets_text(octets) if octets else ''}")

    def _event(self, text: str) -> bytes:
        return f"{self._start} {text}\n\n".encode()
