"""`show adj-rib`: page by page from ribd or the peerds, a few lines at a time, so that a full table stalls nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgpack

from apid.control.connection import RIBD_SECONDS
from apid.control.context import Context
from apid.control.jobs import Job, Resume, Step
from apid.control.neighbors import Known, select
from apid.control.route_json import route_object
from apid.control.sessions import with_sessions
from apid.grammar.command import ShowAdjRib
from apid.render.nlri_text import nlri_text, route_prefix
from apid.render.routes import next_hops, read_route
from apid.render.text_attributes import attributes_text
from bgp.attribute import AttributeSet, Origin
from bgp.attribute.received import read
from bgp.family import Family
from bgp.negotiate import negotiate_messages
from bgp.negotiated import Negotiated
from bgp.route import decode_set
from bgp.settings_wire import facts_from_wire
from bus.schema import ListRoutes

PAGE = 5_000  # routes asked for at once
LINES = 100  # rendered in one turn of the loop
CACHED_SETS = 8192
ORIGIN_IGP = Origin(0)
SERVICES = Path("/etc/services")
SELF = None  # the next hop of a route is the session's own address, not known yet

Sets = Callable[[bytes], tuple[AttributeSet, bytes | None]]


class Row(NamedTuple):
    """One route; `next_hop` as on the wire, empty for none, `SELF` where the session will decide.

    add_path: its path identifier means something, even if it is 0. lease: seconds that are left of it.
    """

    family: Family
    item: bytes
    attributes: AttributeSet
    next_hop: bytes | None
    add_path: bool = False
    lease: int | None = None


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


def _out(context: Context, known: Known, command: ShowAdjRib, render: Callable[[Row], str]) -> Job:
    sets = _remembering(lambda octets: _neutral(octets, known.local_address))
    after = 0
    while after >= 0:
        page = yield _page(context, known.name, after)
        if page is None:
            return "ribd does not answer"
        lines: list[str] = []
        for afi, safi, octets, item, *lease in page.rows:
            family = Family(afi, safi)
            if command.shows(family):
                lines.append(render(Row(family, item, *sets(octets), lease=lease[0] if lease else None)))
            if len(lines) >= LINES:
                yield lines
                lines = []
        yield lines
        after = page.after
    return ""


def _in(context: Context, known: Known, command: ShowAdjRib, render: Callable[[Row], str]) -> Job:
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
                lines.append(render(Row(family, item, sets(octets)[0], next_hop, add_path)))
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


def _remembering(read_set: Sets) -> Sets:
    """Remember what attribute sets say, up to a bound: tables repeat them."""
    known: dict[bytes, tuple[AttributeSet, bytes | None]] = {}

    def remembered(octets: bytes) -> tuple[AttributeSet, bytes | None]:
        found = known.get(octets)
        if found is None:
            if len(known) >= CACHED_SETS:
                known.clear()
            found = known[octets] = read_set(octets)
        return found

    return remembered


def _neutral(octets: bytes, local_address: bytes) -> tuple[AttributeSet, bytes | None]:
    """Read a set to announce; `next-hop self` is shown as our address where we know it."""
    attributes, next_hop = decode_set(octets)
    if next_hop is None:
        return AttributeSet(octets, attributes), b""
    return AttributeSet(octets, attributes), next_hop or local_address or SELF


def _session(octets: bytes, negotiated: Negotiated) -> tuple[AttributeSet, bytes | None]:
    return read(octets, negotiated, {}).attributes, b""


def _renderer(context: Context, known: Known, command: ShowAdjRib) -> Callable[[Row], str]:
    """Choose how a route is written."""
    if command.json and context.routes_format == "v2":
        return lambda row: json.dumps({"peer": {"address": known.address}, "route": _object(row)})
    if command.json:
        return lambda row: json.dumps({known.address: {"routes": [_short(row)]}})
    name = str(known.identity) if command.extensive else known.address
    # Ports of our own rules have names, as they had when they were written.
    ours = command.direction == "out"
    services = service_names() if ours else {}

    def text(row: Row) -> str:
        route = read_route(row.family, row.item)
        said = nlri_text(route, _hop(row), row.add_path or bool(route.path_id), services)
        if not command.extensive:
            return f"{name} {row.family} {said}"
        ttl = "" if row.lease is None else f" ttl {row.lease}"
        return f"{name} {row.family} {said}{_said(row.attributes, ours)}{ttl}"

    return text


@lru_cache(maxsize=CACHED_SETS)
def _said(attributes: AttributeSet, ours: bool) -> str:
    """Write attributes; a route of ours that says nothing of its origin has IGP, which is then not shown either."""
    return attributes_text(each for each in attributes if not ours or each != ORIGIN_IGP)


def _hop(row: Row) -> str:
    return "self" if row.next_hop is SELF else next(iter(next_hops(row.next_hop)), "")


def _short(row: Row) -> dict[str, Any]:
    """Return what release 5 prints of a prefix, and release 6 of other routes."""
    route = read_route(row.family, row.item)
    prefix = route_prefix(route)
    if prefix is None:
        return {"family": str(row.family), "nlri": nlri_text(route)}
    return {"prefix": prefix, "family": str(row.family)}


def _object(row: Row) -> dict[str, Any]:
    return route_object(row.family, row.item, list(row.attributes), _hop(row))


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
