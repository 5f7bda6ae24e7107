"""One neighbor of the lab router: its state machine, the routes that it was sent, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from apid.grammar.command import parse_command
from apid.grammar.command_kinds import RouteChange
from apid.grammar.route import RouteEntry
from apid.render.nlri import nlri_text
from apid.render.routes import read_route
from apid.render.show import ShownRoute, route_text
from bgp import action as act
from bgp import event as ev
from bgp.errors import NotifyError
from bgp.family import Family
from bgp.nlri import route_key
from bgp.pack import Packer, end_of_rib
from bgp.peer import Peer
from bgp.refresh import Refresh, RefreshSubtype
from bgp.settings import SessionSettings
from bgp.shape import Shape
from bgp.update import Update, UpdateDecoder

SHOWN = 20  # lines for the routes of one read; of the others only the number is said
NEXT_HOPS = {False: "192.0.2.2", True: "2001:db8::2"}  # of routes that are given without one (IPv4, IPv6)

Say = Callable[[str, str], None]  # (what, details)


def read_announcement(text: str) -> tuple[RouteEntry, ...]:
    """Read `PREFIX [ATTRIBUTE…]` as after `announce route`; raises ValueError (GrammarError is one)."""
    if "next-hop" not in text.split():
        text += f" next-hop {NEXT_HOPS[':' in text.split()[0]]}"
    command = parse_command(f"announce route {text}")
    if not isinstance(command, RouteChange):
        raise ValueError(f"a route expected, not '{text}'")
    return command.entries


class LabSession:
    """The protocol side of one neighbor: no sockets here, the router carries out what `handle` returns."""

    def __init__(self, settings: SessionSettings, announced: tuple[RouteEntry, ...], say: Say) -> None:
        self.peer = Peer(settings)
        self._announced = announced
        self._say = say
        self._up: act.Up | None = None
        self._decoder: UpdateDecoder | None = None
        self._held: dict[tuple[Family, bytes], tuple[bytes, bytes]] = {}

    def handle(self, event: ev.PeerEvent, now: float) -> list[act.Action]:
        """Take an event; return the actions that concern sockets."""
        todo: list[act.Action] = []
        for action in self.peer.handle(event, now):
            match action:
                case act.Up():
                    todo += self._established(action)
                case act.Down():
                    self._ended(action)
                case act.Deliver():
                    todo += self._deliver(action, now)
                case act.RefreshReceived():
                    todo += self._refresh(action)
                case act.Accept() | act.Send() | act.Close():
                    todo.append(action)
        return todo

    def announce(self, entries: tuple[RouteEntry, ...]) -> list[act.Action]:
        """Announce more routes, now and in every session to come."""
        self._announced += entries
        return [action for entry in entries for action in self._send(entry)]

    def _established(self, up: act.Up) -> list[act.Action]:
        self._up, self._decoder = up, UpdateDecoder(up.negotiated)
        self._held.clear()
        families = up.negotiated.families
        named = ", ".join(map(str, families[:4])) + (f" and {len(families) - 4} more" if len(families) > 4 else "")
        self._say("session up", f"AS {up.negotiated.peer_as}, hold time {up.negotiated.hold_time} s, {named}")
        return [action for family in families for action in self._send_table(up, family)]

    def _send_table(self, up: act.Up, family: Family) -> Iterator[act.Action]:
        """Announce our routes of a family, then say that these were all."""
        for entry in self._announced:
            if entry.family == family:
                yield from self._send(entry)
        yield act.Send(up.connection, end_of_rib(family))

    def _send(self, entry: RouteEntry) -> Iterator[act.Action]:
        up = self._up
        if up is None or entry.family not in up.negotiated.families:
            return
        packer = Packer(Shape.of(up.negotiated))
        for octets in packer.announce(entry.family, {entry.attributes: list(entry.items)}):
            yield act.Send(up.connection, octets)
        for item in entry.items:
            route = ShownRoute.to_announce(entry.family, item, entry.attributes)
            self._say("route announced", route_text(route, extensive=True))

    def _refresh(self, asked: act.RefreshReceived) -> list[act.Action]:
        family, up = asked.refresh.family, self._up
        if up is None or asked.refresh.subtype != RefreshSubtype.QUERY:
            return []
        self._say("refresh asked", str(family))
        sent = list(self._send_table(up, family))
        if up.negotiated.refresh != "enhanced":
            return sent
        begin, end = (Refresh(family, kind).message() for kind in (RefreshSubtype.BEGIN, RefreshSubtype.END))
        return [act.Send(up.connection, begin), *sent, act.Send(up.connection, end)]

    def _ended(self, down: act.Down) -> None:
        if down.established:
            said = f"received {down.notification}" if down.received else down.reason
            self._say("session down", f"{said}; {_routes(len(self._held))} gone with it")
            self._up = self._decoder = None
            self._held.clear()

    def _deliver(self, delivery: act.Deliver, now: float) -> list[act.Action]:
        """Tell what UPDATEs say; an error in one of them ends the session, as RFC 7606 demands."""
        if self._decoder is None:
            return []
        updates: list[Update] = []
        failed: list[act.Action] = []
        for message in delivery.messages:
            try:
                updates.append(self._decoder.decode(message[19:]))
            except NotifyError as error:
                self._say("bad UPDATE", str(error))
                failed = self.handle(ev.Failed(delivery.connection, error), now)
                break
        lines = (line for update in updates for line in self._lines(update))
        for what, details in islice(lines, SHOWN):
            self._say(what, details)
        more = sum(1 for _ in lines)
        if more:
            self._say("and more", f"{more} lines not shown; {_routes(len(self._held))} held now")
        return failed

    def _lines(self, update: Update) -> Iterator[tuple[str, str]]:
        if update.error is not None:
            yield "bad routes", f"taken as withdrawn: {update.error}"
        if update.eor is not None:
            yield "end of table", f"{update.eor}, {_routes(self._count(update.eor))}"
        for family, items in update.withdrawn:
            yield from self._withdrawn(family, items)
        for family, next_hop, items in update.announced:
            for item in items:
                key, value = (family, route_key(family, item)), (update.attributes.octets, next_hop)
                what = "route arrived" if key not in self._held else "route changed"
                if self._held.get(key) == value:
                    what = "route repeated"
                self._held[key] = value
                route = ShownRoute.received(family, item, update.attributes, next_hop)
                yield what, route_text(route, extensive=True)

    def _withdrawn(self, family: Family, items: Iterable[bytes]) -> Iterator[tuple[str, str]]:
        for item in items:
            known = self._held.pop((family, route_key(family, item)), None)
            text = f"{family} {nlri_text(read_route(family, item))}"
            yield "route left", text if known is not None else f"{text} (it was not here)"

    def _count(self, family: Family) -> int:
        return sum(held == family for held, _ in self._held)


def _routes(count: int) -> str:
    return "1 route" if count == 1 else f"{count} routes"
