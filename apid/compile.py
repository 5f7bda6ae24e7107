"""From the checked configuration to what each process is told: pure, but for names of files.

One peerd for each neighbor, or, above a threshold, a fixed number of shards with several sessions each.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple, replace

from apid.config.model import ApiBlock, Configuration, MessageFlags, Neighbor, Process
from apid.config.names import identity
from apid.config.options import Environment
from apid.grammar.operational import KINDS
from apid.grammar.route import RouteEntry
from apid.render.dialect import RELEASES
from bgp.capability.role import ROLES
from bgp.message import MessageType
from bgp.nlri import route_key
from bgp.operational import ASM, Operational
from bgp.settings import SessionSettings
from bgp.settings_wire import settings_to_wire
from bgp.wire import address_text
from bus.schema import AppliedConfiguration, HelperSettings, ListenerSettings, PeerdSettings, pack
from bus.settings import (
    ApiBinding,
    HelperConfiguration,
    ListenerConfiguration,
    PassiveNeighbor,
    SessionConfiguration,
)

SHARD_ABOVE = 32  # neighbors; up to here each has a process of its own
SHARDS = 8
SHARD = "peerd-shard-"
MEBIBYTE = 1024 * 1024
LONGEST_NAME = 48  # octets of a helper's name in the name of its program
TYPES = {
    "open": MessageType.OPEN,
    "update": MessageType.UPDATE,
    "notification": MessageType.NOTIFICATION,
    "keepalive": MessageType.KEEPALIVE,
    "refresh": MessageType.ROUTE_REFRESH,
    "operational": MessageType.OPERATIONAL,
}


class Compiled(Struct, frozen=True):
    """Everything that goes to the run directory."""

    peerds: dict[str, PeerdSettings]
    helpers: dict[str, HelperSettings]
    listener: ListenerSettings | None
    applied: AppliedConfiguration

    @property
    def programs(self) -> list[str]:
        """The supervisor programs that this configuration needs beside the fixed ones."""
        return self.applied.programs


def compile_configuration(
    configuration: Configuration, environment: Environment, version: str, placed: Mapping[str, str] | None = None
) -> Compiled:
    """Compile. Nothing in here can fail: whatever is wrong was found when the configuration was read.

    `placed` names the programs that have neighbors now.
    """
    programs = assign_programs([neighbor.name for neighbor in configuration.neighbors], placed or {})
    helpers = {
        process.name: _helper(process, configuration, environment, programs) for process in configuration.processes
    }
    subscribers: dict[str, list[str]] = {}
    speakers: dict[str, list[str]] = {}
    announcers: dict[str, list[str]] = {}
    for name, helper in helpers.items():
        for binding in map(ApiBinding.from_wire, helper.bindings):
            speakers.setdefault(binding.neighbor, []).append(name)
            if binding.subscribes:
                subscribers.setdefault(binding.neighbor, []).append(name)
            if binding.awaited:
                announcers.setdefault(binding.neighbor, []).append(name)
    peerds: dict[str, list[dict[str, Any]]] = {}
    for neighbor in configuration.neighbors:
        session = replace(
            _session(neighbor, environment, version, subscribers.get(neighbor.name, [])),
            speakers=speakers.get(neighbor.name, []),
            announcers=announcers.get(neighbor.name, []),
            end_of_rib_wait=float(neighbor.end_of_rib_wait),
        )
        peerds.setdefault(programs[neighbor.name], []).append(session.to_wire())
    listener = _listener(configuration.neighbors, environment, programs)
    names = [*peerds, *(helper_program(name) for name in helpers), *(["listener"] if listener else [])]
    routes = _routes(configuration.neighbors)
    settings = {name: PeerdSettings(name, each) for name, each in peerds.items()}
    bridges = {name: HelperSettings(helper.to_wire()) for name, helper in helpers.items()}
    neighbors = [neighbor.name for neighbor in configuration.neighbors]
    watchdogs = _watchdogs(configuration.neighbors)
    applied = AppliedConfiguration(
        "",
        list(configuration.sources),
        neighbors,
        routes,
        names,
        watchdogs,
        flow_limits=flow_limits(configuration.neighbors),
        identities={neighbor.name: identity(neighbor) for neighbor in configuration.neighbors},
        forgetful=[neighbor.name for neighbor in configuration.neighbors if not neighbor.adj_rib_out],
    )
    return with_generation(Compiled(settings, bridges, listener, applied))


def flow_limits(neighbors: Iterable[Neighbor]) -> dict[str, int]:
    """Return how many FlowSpec rules neighbors may have, by name, where there is a limit."""
    return {neighbor.name: neighbor.flow_limit for neighbor in neighbors if neighbor.flow_limit is not None}


def with_generation(compiled: Compiled) -> Compiled:
    """Name a configuration by the digest of everything in it."""
    listener = [compiled.listener] if compiled.listener is not None else []
    applied = replace(compiled.applied, generation="", revision="")
    digest = hashlib.sha256()
    for message in (*compiled.peerds.values(), *compiled.helpers.values(), *listener, applied):
        digest.update(pack(message))
    return replace(compiled, applied=replace(applied, generation=digest.hexdigest()[:16]))


def slug(name: str) -> str:
    """Make a name fit for a file and for supervisor."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", name)


def helper_program(name: str) -> str:
    """Return the supervisor program of a helper's bridge; two helpers never have the same."""
    text = slug(name)
    if text != name or len(text) > LONGEST_NAME:
        text = f"{text[:LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return f"helper-{text}"


def assign_programs(names: Sequence[str], placed: Mapping[str, str]) -> dict[str, str]:
    """Return which peerd has which neighbor.

    Those that have one stay where they are, however many there are now: moving ends a session. A shard is found by
    the name's digest, so that others stay put.
    """
    program_of = shard if len(names) > SHARD_ABOVE else own_program
    return {name: placed.get(name) or program_of(name) for name in names}


def own_program(name: str) -> str:
    """Return the peerd of a neighbor that has one to itself."""
    return f"peerd-{slug(name)}"


def shard(name: str) -> str:
    """Return the peerd that a neighbor shares with others."""
    return f"{SHARD}{int(hashlib.sha256(name.encode()).hexdigest(), 16) % SHARDS}"


def peer_text(neighbor: Neighbor) -> str:
    """Return the peer's address, or the prefix of a range."""
    text = address_text(neighbor.peer_address)
    return f"{text}/{neighbor.peer_length}" if neighbor.is_range else text


def _local_text(neighbor: Neighbor) -> str:
    return address_text(neighbor.local_address) if neighbor.local_address is not None else ""


def _session(neighbor: Neighbor, environment: Environment, version: str, helpers: list[str]) -> SessionConfiguration:
    capability = neighbor.capability
    settings = SessionSettings(
        router_id=neighbor.router_id,
        local_as=neighbor.local_as,
        peer_as=neighbor.peer_as,
        hold_time=neighbor.hold_time,
        families=neighbor.families,
        asn4=capability.asn4,
        extended_message=capability.extended_message,
        route_refresh=capability.route_refresh,
        graceful_restart=capability.graceful_restart,
        add_path=capability.add_path_receive | capability.add_path_send << 1,
        add_path_families=neighbor.add_path_families,
        paths_limits=neighbor.paths_limits,
        link_local=capability.link_local_nexthop,
        long_lived_time=capability.long_lived_graceful_restart,
        role=ROLES.get(capability.role or ""),
        role_strict=capability.role_strict,
        multi_session=capability.multi_session,
        operational=capability.operational,
        next_hop=capability.nexthop,
        next_hops=neighbor.next_hops,
        aigp=capability.aigp,
        software_version=version if capability.software_version else None,
        host_name=neighbor.host_name,
        domain_name=neighbor.domain_name,
        passive=neighbor.passive or environment.bgp.passive or neighbor.is_range,
        send_hold_time=float(neighbor.send_hold_time) if neighbor.send_hold_time is not None else None,
        open_wait=float(environment.bgp.openwait),
        attempts=1 if environment.tcp.once else environment.tcp.attempts,
    )
    return SessionConfiguration(
        name=neighbor.name,
        peer_address=peer_text(neighbor),
        local_address=_local_text(neighbor),
        port=neighbor.connect or environment.tcp.port,
        passive=settings.passive,
        interface=neighbor.source_interface or "",
        md5_password=neighbor.md5_password or b"",
        outgoing_ttl=neighbor.outgoing_ttl,
        incoming_ttl=neighbor.incoming_ttl,
        adj_rib_in=neighbor.adj_rib_in,
        adj_rib_out=neighbor.adj_rib_out,
        manual_eor=neighbor.manual_eor,
        group_updates=neighbor.group_updates,
        helpers=helpers,
        protocol=settings_to_wire(settings),
        operational=_operational(neighbor),
        rate_limit=neighbor.rate_limit or 0,
        prefix_limits=[list(astuple(limit)) for limit in neighbor.prefix_limits],
        unused=_unused(neighbor),
    )


def _unused(neighbor: Neighbor) -> dict[str, str]:
    """Return the directives that no session has a use for, where they are set, and their values as text."""
    said: dict[str, str] = {}
    if neighbor.description:
        said["description"] = neighbor.description
    if neighbor.listen:
        said["listen"] = str(neighbor.listen)
    if neighbor.md5_ip is not None:
        said["md5-ip"] = address_text(neighbor.md5_ip)
    if not neighbor.auto_flush:
        said["auto-flush"] = "false"
    return said


def _operational(neighbor: Neighbor) -> list[bytes]:
    """Return the messages for a session that comes up: ASMs first, the last one in front, as ExaBGP sends them."""
    messages = [
        Operational(
            KINDS[each.kind],
            each.family,
            each.advisory.encode(),
            each.router_id or neighbor.router_id,
            each.sequence,
            each.counter,
        )
        for each in neighbor.operational
    ]
    repeated = [each for each in reversed(messages) if each.kind == ASM]
    return [each.message() for each in (*repeated, *(each for each in messages if each.kind != ASM))]


def _mask(flags: MessageFlags) -> int:
    return sum(1 << kind for name, kind in TYPES.items() if getattr(flags, name))


def _helper(
    process: Process, configuration: Configuration, environment: Environment, programs: dict[str, str]
) -> HelperConfiguration:
    blocks = [
        (neighbor, block)
        for neighbor in configuration.neighbors
        for block in neighbor.api
        if process.name in block.processes
    ]
    bindings = [_binding(process, neighbor, block, programs[neighbor.name]) for neighbor, block in blocks]
    return HelperConfiguration(
        name=process.name,
        run=list(process.run),
        encoder=process.encoder or environment.api.encoder,
        terminate=environment.api.terminate,
        respawn=process.respawn and environment.api.respawn,
        json_layout=process.json_layout,
        dialect=RELEASES[process.json_version].version,
        compact=environment.api.compact,
        acknowledge=environment.api.ack,
        event_memory=environment.api.memory * MEBIBYTE,
        event_spool=environment.api.spool * MEBIBYTE,
        umask=environment.daemon.umask,
        user=environment.daemon.user if environment.daemon.drop else "",
        bindings=[binding.to_wire() for binding in _merged(bindings)],
        subscription=_subscription(process, blocks[0][1] if blocks else ApiBlock("")),
    )


def _binding(process: Process, neighbor: Neighbor, block: ApiBlock, program: str) -> ApiBinding:
    return ApiBinding(
        neighbor=neighbor.name,
        program=program,
        peer_address=peer_text(neighbor),
        local_address=_local_text(neighbor),
        local_as=neighbor.local_as or 0,
        peer_as=neighbor.peer_as or 0,
        router_id=address_text(neighbor.router_id),
        families=[list(family) for family in neighbor.families],
        flow_limit=neighbor.flow_limit,
        awaited=bool(neighbor.capability.graceful_restart and neighbor.end_of_rib_wait and not neighbor.manual_eor),
        **_subscription(process, block),
    )


def _subscription(process: Process, block: ApiBlock) -> dict[str, Any]:
    """What the `api` block says; a helper that subscribes in its own block is told what that says."""
    source = process if process.receive is not None or process.send is not None else block
    received, sent = source.receive or MessageFlags(), source.send or MessageFlags()
    return {
        "state": process.neighbor_changes or block.neighbor_changes,
        "fsm": process.fsm or block.fsm,
        "negotiated": process.negotiated or block.negotiated,
        "signal": process.signal or block.signal,
        "received": _mask(received),
        "sent": _mask(sent),
        "received_parsed": received.parsed,
        "received_packets": received.packets,
        "received_consolidate": received.consolidate,
        "sent_parsed": sent.parsed,
        "sent_packets": sent.packets,
        "sent_consolidate": sent.consolidate,
    }


def _merged(bindings: list[ApiBinding]) -> list[ApiBinding]:
    """Join the bindings of one neighbor (it may name a helper in several `api` blocks)."""
    merged: dict[str, ApiBinding] = {}
    for binding in bindings:
        known = merged.get(binding.neighbor)
        if known is None:
            merged[binding.neighbor] = binding
            continue
        values = known.to_wire()
        for key, value in binding.to_wire().items():
            if isinstance(value, bool | int) and key not in ("local_as", "peer_as"):
                values[key] |= value
        merged[binding.neighbor] = ApiBinding.from_wire(values)
    return list(merged.values())


def _listener(
    neighbors: tuple[Neighbor, ...], environment: Environment, programs: dict[str, str]
) -> ListenerSettings | None:
    """Listen where the environment says, and on the ports that neighbors ask for; None: nowhere."""
    endpoints = {(address, environment.tcp.port) for address in environment.tcp.bind}
    endpoints |= {(_local_text(neighbor), neighbor.listen) for neighbor in neighbors if neighbor.listen}
    if not endpoints:
        return None
    expected = [
        PassiveNeighbor(
            name=neighbor.name,
            program=programs[neighbor.name],
            peer_address=peer_text(neighbor),
            local_address=_local_text(neighbor),
            md5_password=neighbor.md5_password or b"",
            outgoing_ttl=neighbor.outgoing_ttl,
            incoming_ttl=neighbor.incoming_ttl,
        ).to_wire()
        for neighbor in neighbors
    ]
    return ListenerSettings(ListenerConfiguration([list(e) for e in sorted(endpoints)], expected).to_wire())


def changes_of(entries: Iterable[RouteEntry]) -> list[list[Any]]:
    """Return the changes of the routes that are to be announced."""
    return grouped(entry for entry in entries if not entry.withdrawn)


def grouped(entries: Iterable[RouteEntry]) -> list[list[Any]]:
    """Return `[AFI, SAFI, attribute set, items]` of all these routes, grouped by attributes.

    A route that is there twice begins new groups, so that its last form comes last.
    """
    changes: list[list[Any]] = []
    groups: dict[tuple[int, int, bytes], list[bytes]] = {}
    seen: dict[tuple[int, int, bytes], bytes] = {}
    for entry in entries:
        for item in entry.items:
            route = (*entry.family, route_key(entry.family, item))
            before = seen.get(route)
            if before == entry.attributes:
                continue
            if before is not None:
                changes += [[*key, items] for key, items in groups.items()]
                groups, seen = {}, {}
            seen[route] = entry.attributes
            groups.setdefault((*entry.family, entry.attributes), []).append(item)
    return changes + [[*key, items] for key, items in groups.items()]


def _routes(neighbors: tuple[Neighbor, ...]) -> list[list[Any]]:
    """Return `[neighbor names, changes]`; neighbors with the same routes are addressed together."""
    groups: dict[tuple[RouteEntry, ...], list[str]] = {}
    for neighbor in neighbors:
        groups.setdefault(neighbor.routes, []).append(neighbor.name)
    return [[names, changes_of(entries)] for entries, names in groups.items() if entries]


def _watchdogs(neighbors: tuple[Neighbor, ...]) -> list[list[Any]]:
    """Return `[watchdog name, neighbor names, changes]` of the routes that a watchdog controls."""
    groups: dict[tuple[str, tuple[RouteEntry, ...]], list[str]] = {}
    for neighbor in neighbors:
        controlled: dict[str, list[RouteEntry]] = {}
        for entry in neighbor.routes:
            if entry.watchdog is not None:
                controlled.setdefault(entry.watchdog, []).append(entry)
        for name, entries in controlled.items():
            groups.setdefault((name, tuple(entries)), []).append(neighbor.name)
    return [[name, names, grouped(entries)] for (name, entries), names in groups.items()]
