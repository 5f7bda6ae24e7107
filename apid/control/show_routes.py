"""`show adj-rib`: page by page from ribd or the peerds, a few lines at a time, so that a full table stalls nobody."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgpack

from apid.control.connection import RIBD_SECONDS
from apid.control.context import Context
from apid.control.jobs import Job, Resume, Step
from apid.control.neighbors import Known, select
from apid.control.sessions import with_sessions
from apid.grammar.command import ShowAdjRib
from apid.render.routes import read_set
from apid.render.show import ShownRoute, route_json, route_json_v2, route_text
from bgp.attribute import NO_ATTRIBUTES, AttributeSet
from bgp.attribute.received import read
from bgp.family import Family
from bgp.negotiate import negotiate_messages
from bgp.negotiated import Negotiated
from bgp.settings_wire import facts_from_wire
from bus.schema import ListRoutes

PAGE = 5_000  # routes asked for at once
LINES = 100  # rendered in one turn of the loop
CACHED_SETS = 8192
SERVICES = Path("/etc/services")

Sets = Callable[[bytes], tuple[AttributeSet, str]]  # what octets say: attributes, and the text of a next hop
Render = Callable[[ShownRoute], str]


def show_adj_rib(context: Context, neighbors: list[Known], command: ShowAdjRib) -> Job:
    """Show routes; a selector that matches nobody shows nothing."""
    for known in (yield from with_sessions(context, select(neighbors, command.selector))):
        render = _renderer(context, known, command)
        if command.direction == "out":
            error = yield from _out(context, known, command, render)
        else:
            error = yield from _in(context, known, command, render)
        if error:
            return error
    return ""


def _out(context: Context, known: Known, command: ShowAdjRib, render: Render) -> Job:
    sets = _remembering(lambda octets: read_set(octets, known.local_address))
    after = 0
    while after >= 0:
        page = yield _page(context, known.name, after)
        if page is None:
            return "ribd does not answer"
        lines: list[str] = []
        for afi, safi, octets, item, *lease in page.rows:
            family = Family(afi, safi)
            if command.shows(family):
                left = lease[0] if lease else None
                lines.append(render(ShownRoute(family, item, *sets(octets), ours=True, lease=left)))
            if len(lines) >= LINES:
                yield lines
                lines = []
        yield lines
        after = page.after
    return ""


def _in(context: Context, known: Known, command: ShowAdjRib, render: Render) -> Job:
    (status,) = yield context.ask([known], "status")
    if status is None or status.error or not status.data["context"]:
        return ""
    sent, received, facts = msgpack.unpackb(status.data["context"])
    negotiated = negotiate_messages(sent, received, facts_from_wire(facts))
    sets = _remembering(lambda octets: _session(octets, negotiated))
    after = 0
    while after >= 0:
        (reply,) = yield context.ask([known], "routes-in", str(after), str(PAGE))
        if reply is None or reply.error:
            return f"{known.name}: {reply.error if reply is not None else 'no answer'}"
        lines: list[str] = []
        for afi, safi, octets, next_hop, item in reply.data["rows"]:
            family = Family(afi, safi)
            if command.shows(family):
                add_path = family in negotiated.add_path_receive
                lines.append(render(ShownRoute.received(family, item, sets(octets)[0], next_hop, add_path)))
            if len(lines) >= LINES:
                yield lines
                lines = []
        yield lines
        after = reply.data["after"]
    return ""


def _page(context: Context, neighbor: str, after: int) -> Step:
    def step(resume: Resume) -> None:
        context.rib.ask(lambda number: ListRoutes(number, neighbor, after, PAGE), RIBD_SECONDS, resume)

    return step


def _remembering(read_one: Sets) -> Sets:
    """Remember what attribute sets say, up to a bound: tables repeat them."""
    known: dict[bytes, tuple[AttributeSet, str]] = {}

    def remembered(octets: bytes) -> tuple[AttributeSet, str]:
        found = known.get(octets)
        if found is None:
            if len(known) >= CACHED_SETS:
                known.clear()
            found = known[octets] = read_one(octets)
        return found

    return remembered


def _session(octets: bytes, negotiated: Negotiated) -> tuple[AttributeSet, str]:
    received = read(octets, negotiated, {})
    return (NO_ATTRIBUTES if received is None else received.attributes), ""


def _renderer(context: Context, known: Known, command: ShowAdjRib) -> Render:
    """Choose how a route is written."""
    # Ports of our own rules have names, as they had when they were written.
    services = service_names() if command.direction == "out" else {}
    if command.json and context.routes_format == "v2":
        return lambda route: route_json_v2(known.address, route, services)
    if command.json:
        return lambda route: route_json(known.address, route)
    name = str(known.identity) if command.extensive else known.address
    return lambda route: f"{name} {route_text(route, extensive=command.extensive, services=services)}"


@cache
def service_names() -> dict[int, str]:
    """Return the names of ports on this host (services(5)), the first of each; none where it knows none."""
    names: dict[int, str] = {}
    if not SERVICES.exists():
        return names
    for line in SERVICES.read_text(errors="replace").splitlines():
        words = line.partition("#")[0].split()
        port, _, _protocol = words[1].partition("/") if len(words) > 1 else ("", "", "")
        if port.isdecimal():
            names.setdefault(int(port), words[0])
    return names
