"""One neighbor's events for one helper: the encoder and the forms that it asked for."""

from __future__ import annotations

from msgspec.structs import replace

from apid.render.dialect import DIALECTS
from apid.render.envelope import NeighborContext, ProcessContext
from apid.render.form import RECEIVE, SEND, Form
from apid.render.json_events import JsonEvents
from apid.render.names import SIGNALS
from apid.render.text_events import TextEvents
from bgp.errors import NotifyError
from bgp.message import HEADER_LENGTH, MessageType
from bgp.negotiated import Negotiated
from bgp.notification import Notification
from bgp.open import Open
from bgp.operational import Operational
from bgp.refresh import Refresh
from bgp.update import UpdateDecoder

NOBODY = Negotiated()  # before two OPENs crossed


def seen_by_peer(negotiated: Negotiated) -> Negotiated:
    """Return the context in which the peer reads what we send: the two sides change places."""
    return replace(
        negotiated,
        local_as=negotiated.peer_as,
        peer_as=negotiated.local_as,
        local_address=negotiated.peer_address,
        peer_address=negotiated.local_address,
        local_id=negotiated.peer_id,
        peer_id=negotiated.local_id,
        add_path_send=negotiated.add_path_receive,
        add_path_receive=negotiated.add_path_send,
        role=None,
    )


class Renderer:
    """Render events of one neighbor as octets for one helper's stdin.

    A message comes whole, with its header. Every method of a message takes when it was seen (seconds since the
    epoch), its direction (`form.SEND` or `form.RECEIVE`), what the session agreed upon (None before two OPENs
    crossed), the number of the first event, and `Form` flags; it returns one element for each event, none where
    the form asks for none or where the message ends the session: its NOTIFICATION is the event then.

    layout: `by-next-hop` (ExaBGP's) or `by-prefix` (mission's). encoder: `json` or `text`. dialect: see
    `dialect.DIALECTS`. compact: bare prefixes are strings. Unknown names raise KeyError.
    """

    __slots__ = ("_decoders", "_events", "_negotiated")

    def __init__(
        self,
        neighbor: NeighborContext,
        process: ProcessContext,
        layout: str = "by-next-hop",
        encoder: str = "json",
        dialect: str = "5.0.0",
        compact: bool = False,
    ) -> None:
        self._events: JsonEvents | TextEvents
        if encoder == "json":
            self._events = JsonEvents(neighbor, process, DIALECTS[dialect], layout, compact)
        elif encoder == "text":
            self._events = TextEvents(neighbor, DIALECTS[dialect])
        else:
            raise KeyError(encoder)
        self._negotiated: Negotiated | None = None
        self._decoders: dict[str, UpdateDecoder] = {}

    def state(self, when: float, counter: int, state: str, reason: str = "") -> bytes:
        """Render `connected`, `up` or `down`; only `down` shows a reason."""
        return self._events.state(when, counter, state, reason)

    def fsm(self, when: float, counter: int, state: str) -> bytes:
        """Render a state of the session's machine, such as `OPENSENT`; nothing as text."""
        return self._events.fsm(when, counter, state)

    def signal(self, when: float, counter: int, code: int) -> bytes:
        """Render a signal that the daemon got; nothing as text."""
        return self._events.signal(when, counter, code, SIGNALS.get(code, f"signal {code}"))

    def negotiated(self, when: float, counter: int, negotiated: Negotiated) -> bytes:
        """Render what two OPENs agreed upon; nothing as text."""
        self._session(negotiated)
        return self._events.negotiated(when, counter)

    def shutdown(self, when: float) -> bytes:
        """Render that the daemon ends."""
        return self._events.shutdown(when)

    def lost(self, when: float, count: int) -> bytes:
        """Render that `count` events were dropped because the helper did not read."""
        return self._events.lost(when, count)

    def message(
        self, message: bytes, when: float, direction: str, negotiated: Negotiated | None, counter: int, form: int
    ) -> list[bytes]:
        """Render a message of any type."""
        if form == Form.PARSED and message[18] == MessageType.UPDATE:
            return self.update(message, when, direction, negotiated, counter, form)
        if negotiated is not self._negotiated:
            self._session(negotiated)
        events = []
        consolidate = bool(form & Form.CONSOLIDATE)
        if form & Form.PACKETS and not consolidate:
            events.append(self._events.packet(when, counter, direction, message, bool(form & Form.NEGOTIATED)))
        if form & Form.PARSED or consolidate:
            octets = message if consolidate else b""
            event = self._parsed(message, when, direction, counter + len(events), octets, bool(form & Form.NEGOTIATED))
            if event:
                events.append(event)
        return events

    def update(
        self, message: bytes, when: float, direction: str, negotiated: Negotiated | None, counter: int, form: int
    ) -> list[bytes]:
        """Render an UPDATE."""
        if form != Form.PARSED:
            return self.message(message, when, direction, negotiated, counter, form)
        if negotiated is not self._negotiated:
            self._session(negotiated)
        event = self._update(message, when, direction, counter, b"", False)
        return [event] if event else []

    def plain(self, message: bytes, when: float, negotiated: Negotiated, counter: int) -> list[bytes]:
        """Render a plain UPDATE from the peer (`bgp.update.Update.plain`), decoded: the path of full tables."""
        if negotiated is not self._negotiated:
            self._session(negotiated)
        return [self._events.plain(when, counter, RECEIVE, message)]

    # The other messages need no path of their own.
    open = keepalive = notification = refresh = operational = message

    def _session(self, negotiated: Negotiated | None) -> None:
        self._negotiated = negotiated
        self._decoders = {}
        self._events.session(negotiated)

    def _parsed(self, message: bytes, when: float, direction: str, counter: int, octets: bytes, embed: bool) -> bytes:
        kind, body, events = message[18], message[HEADER_LENGTH:], self._events
        try:
            if kind == MessageType.UPDATE:
                return self._update(message, when, direction, counter, octets, embed)
            if kind == MessageType.OPEN:
                return events.open(when, counter, direction, Open.decode(body), octets)
            if kind == MessageType.KEEPALIVE:
                return events.keepalive(when, counter, direction, octets)
            if kind == MessageType.NOTIFICATION:
                return events.notification(when, counter, direction, Notification.decode(body), octets)
            if kind == MessageType.ROUTE_REFRESH:
                return events.refresh(when, counter, direction, Refresh.decode(body), octets)
            if kind == MessageType.OPERATIONAL:
                return events.operational(when, counter, direction, Operational.decode(body), octets)
        except NotifyError:
            # The session judges the message in the same way and ends: that is what the helper reads.
            return b""
        return b""

    def _update(self, message: bytes, when: float, direction: str, counter: int, octets: bytes, embed: bool) -> bytes:
        decoder = self._decoders.get(direction)
        if decoder is None:
            context = self._negotiated or NOBODY
            decoder = UpdateDecoder(seen_by_peer(context) if direction == SEND else context)
            self._decoders[direction] = decoder
        try:
            update = decoder.decode(message[HEADER_LENGTH:])
        except NotifyError:
            return b""
        return self._events.update(when, counter, direction, update, octets, embed)
