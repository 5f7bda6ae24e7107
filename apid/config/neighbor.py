"""Check a neighbor as a whole and compile it."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

from apid.config.api import resolve_api
from apid.config.directives import CAPABILITY, NEIGHBOR, REQUIRED, Directive
from apid.config.draft import Draft
from apid.config.model import ALL_FAMILIES, Capabilities, Neighbor
from apid.config.reader import FAILED, Context, Setting
from apid.config.values import read_address, read_number
from apid.grammar.words import GrammarError, Token
from bgp.family import FLOW_SAFIS, IPV4_UNICAST, Family
from bgp.prefix_limit import PrefixLimit
from bgp.settings import ADD_PATH_FAMILIES
from bgp.wire import address_text

MD5_PASSWORD_OCTETS = 80  # TCP_MD5SIG_MAXKEYLEN


def compile_neighbor(context: Context, draft: Draft, processes: Mapping[str, object]) -> Neighbor | None:
    """Compile a neighbor whose templates are merged; None where it has an error."""
    errors = len(context.problems.errors)
    peer = _peer(context, draft)
    if peer is None:
        return None
    address, length = peer
    name = address_text(address)
    if length != len(address) * 8:
        name += f"/{length}"
    settings = draft.settings
    values = _values(settings, NEIGHBOR)
    values["router_id"] = _router_id(context, draft, address, values)
    for key in ("local-as", "peer-as"):
        if key not in settings:
            context.problems.error(draft.source, draft.place, f"the neighbor {name} has no {key}")
    _check_addresses(context, draft, name, address, length, values)
    values["md5_password"] = _md5_password(context, draft, values)
    del values["md5_base64"]
    values["outgoing_ttl"] = _outgoing_ttl(values)
    families = tuple(sorted(place.family for place in draft.families)) or ALL_FAMILIES
    next_hops = _next_hops(context, draft, families)
    capability = _capabilities(draft.capability, values["hold_time"], bool(next_hops))
    _keep_adj_rib_out(context, draft, name, capability, values)
    _check_needs(context, draft, capability, values)
    _check_route_families(context, draft, families)
    _check_flow_limit(context, draft, values["flow_limit"])
    api = resolve_api(context, draft.api, processes, name)
    if len(context.problems.errors) > errors:
        return None
    return Neighbor(
        name=name,
        peer_address=address,
        peer_length=length,
        families=families,
        capability=capability,
        next_hops=next_hops if capability.nexthop else (),
        add_path_families=_add_path_families(context, draft, families, capability),
        paths_limits=_paths_limits(context, draft, capability),
        prefix_limits=_prefix_limits(context, draft, families),
        api=api,
        routes=tuple(draft.routes.entries),
        places=tuple(draft.routes.places),
        operational=tuple(draft.operational),
        file=draft.source.name,
        line=draft.place.line,
        column=draft.place.column,
        **values,
    )


def _values(settings: Mapping[str, Setting], table: Mapping[str, Directive]) -> dict[str, Any]:
    """Return the value of every directive of a table by the name of its field."""
    values = {}
    for key, directive in table.items():
        setting = settings.get(key)
        if setting is None or setting.value is FAILED:
            values[key.replace("-", "_")] = directive.default
        else:
            values[key.replace("-", "_")] = setting.value
    return values


def _peer(context: Context, draft: Draft) -> tuple[bytes, int] | None:
    """Read the peer's address, or the prefix of its addresses."""
    if len(draft.words) < 2:
        message = "a neighbor has the address of its peer: neighbor ADDRESS { … }"
        context.problems.error(draft.source, draft.place, message)
        return None
    if len(draft.words) > 2:
        context.problems.error(draft.source, draft.words[2], f"'{{' expected, not '{draft.words[2].text}'")
    token = draft.place
    text, slash, length_text = token.text.partition("/")
    try:
        address = read_address(Token(text, token.line, token.column))
        bits = len(address) * 8
        length = read_number(Token(length_text, token.line, token.column), 0, bits) if slash else bits
    except GrammarError as error:
        message = f"{error.message}: the address of the peer, or a prefix, expected"
        context.problems.error(draft.source, token, message)
        return None
    mask = (1 << bits) - (1 << (bits - length))
    network = (int.from_bytes(address, "big") & mask).to_bytes(bits // 8, "big")
    if network != address:
        message = f"{token.text} has bits behind its length: taken as {address_text(network)}/{length}"
        context.problems.warn(draft.source, token, message)
    return network, length


def _router_id(context: Context, draft: Draft, address: bytes, values: Mapping[str, Any]) -> bytes:
    """Return the router-id; the local address serves where it and the peer's are IPv4."""
    if values["router_id"] is not REQUIRED:
        router_id: bytes = values["router_id"]
        return router_id
    local: bytes | None = values["local_address"]
    if len(address) == 4 and local is not None and len(local) == 4:
        return local
    if "router-id" in draft.settings:
        return bytes(4)  # it is there, but wrong, and was reported
    why = "its peer is IPv6" if len(address) == 16 else "its local-address is automatic"
    message = f"the neighbor {draft.place.text} has no router-id, and {why}"
    context.problems.error(draft.source, draft.place, message, "write 'router-id A.B.C.D;'")
    return bytes(4)


def _check_addresses(
    context: Context, draft: Draft, name: str, address: bytes, length: int, values: Mapping[str, Any]
) -> None:
    """Check what must agree with the peer's address."""
    problems, settings = context.problems, draft.settings
    local = values["local_address"]
    if local is not None and len(local) != len(address):
        setting = settings["local-address"]
        message = f"the local-address {address_text(local)} is not of the family of the peer {name}"
        problems.error(setting.source, setting.token, message)
    if length != len(address) * 8 and not values["passive"]:
        message = f"the peer {name} is a range of addresses: only a passive neighbor can have one"
        problems.error(draft.source, draft.place, message, "write 'passive;'")
    if values["listen"] and local is None:
        setting = settings["listen"]
        message = "'listen' needs an explicit local-address to listen on"
        problems.error(setting.source, setting.token, message)
    signed = values["md5_ip"]
    if signed is not None and len(signed) != len(address):
        setting = settings["md5-ip"]
        message = f"the md5-ip {address_text(signed)} is not of the family of the peer {name}"
        problems.error(setting.source, setting.token, message)


def _md5_password(context: Context, draft: Draft, values: Mapping[str, Any]) -> bytes | None:
    """Return the key of TCP MD5 signatures, decoded where it is base64."""
    text: str | None = values["md5_password"]
    if text is None:
        return None
    setting = draft.settings["md5-password"]
    password = text.encode()
    if values["md5_base64"] is not False:
        try:
            password = b64decode(password, validate=True)
        except (Base64Error, ValueError) as error:
            if values["md5_base64"]:
                context.problems.error(setting.source, setting.token, f"md5-password is not base64: {error}")
    if not password:
        context.problems.error(setting.source, setting.token, "md5-password is empty")
    if len(password) > MD5_PASSWORD_OCTETS:
        message = f"md5-password has {len(password)} octets, {MD5_PASSWORD_OCTETS} at most expected"
        context.problems.error(setting.source, setting.token, message)
    return password


def _outgoing_ttl(values: Mapping[str, Any]) -> int | None:
    """Return the TTL to send with: 255 where only a lowest TTL to accept is set (RFC 5082 section 3)."""
    outgoing: int | None = values["outgoing_ttl"]
    return 255 if outgoing is None and values["incoming_ttl"] is not None else outgoing


def _capabilities(settings: Mapping[str, Setting], hold_time: int, next_hops: bool) -> Capabilities:
    """Compile the capability section."""
    values = _values(settings, CAPABILITY)
    add_path = values.pop("add_path")
    if values["graceful_restart"] == 0:
        values["graceful_restart"] = hold_time or None
    if "nexthop" not in settings:
        values["nexthop"] = next_hops
    return Capabilities(
        **values,
        add_path_send=add_path in ("send", "send/receive"),
        add_path_receive=add_path in ("receive", "send/receive"),
    )


def _next_hops(context: Context, draft: Draft, families: tuple[Family, ...]) -> tuple[tuple[Family, int], ...]:
    """Return the next hops of another family, for families that are offered.

    ExaBGP drops an entry also where unicast of the next hop's AFI is not offered; RFC 8950 does not ask for
    it, and sessions that carry nothing but IPv4 over IPv6 need it.
    """
    found = []
    for place in draft.next_hops:
        if place.family in families:
            found.append((place.family, place.afi))
        else:
            message = f"this next hop is not offered: {place.family} is not a family of this neighbor"
            context.problems.warn(place.source, place.token, message)
    return tuple(sorted(found))


def _keep_adj_rib_out(
    context: Context, draft: Draft, name: str, capability: Capabilities, values: dict[str, Any]
) -> None:
    """Keep what was sent where it is needed again: by the peer, by another address of a range, for counting."""
    needs = {
        "the capability route-refresh": capability.route_refresh,
        "a range of addresses": "/" in name,
        "flow-limit": values["flow_limit"] is not None,
    }
    reason = next((reason for reason, needed in needs.items() if needed), "")
    if reason and not values["adj_rib_out"]:
        values["adj_rib_out"] = True
        setting = draft.settings["adj-rib-out"]
        context.problems.warn(setting.source, setting.token, f"adj-rib-out stays on: {reason} needs it")


def _check_needs(context: Context, draft: Draft, capability: Capabilities, values: dict[str, Any]) -> None:
    """Say which capabilities have no effect as things are."""
    internal = values["local_as"] is not None and values["local_as"] == values["peer_as"]
    needs = {
        "long-lived-graceful-restart": ("it needs graceful-restart", capability.graceful_restart is not None),
        "role": ("roles are for external peers", not internal),
        "role-strict": ("it needs a role", capability.role is not None),
    }
    for keyword, (reason, met) in needs.items():
        setting = draft.capability.get(keyword)
        if setting is not None and not met:
            context.problems.warn(setting.source, setting.token, f"{keyword} has no effect: {reason}")


def _check_route_families(context: Context, draft: Draft, families: tuple[Family, ...]) -> None:
    """Refuse routes of families that are not offered; IPv4 unicast needs no capability (RFC 4760)."""
    offered = {*families, IPV4_UNICAST}
    for entry, (source, offset) in zip(draft.routes.entries, draft.routes.places, strict=True):
        if entry.family not in offered:
            message = f"a route of {entry.family} is announced, which is not a family of this neighbor"
            context.problems.error(source, offset, message, f"write family {{ {entry.family}; }}")


def _check_flow_limit(context: Context, draft: Draft, limit: int | None) -> None:
    """Refuse more FlowSpec rules than the neighbor may have."""
    flows = [entry for entry in draft.routes.entries if entry.family.safi in FLOW_SAFIS]
    rules = {(entry.family, item) for entry in flows for item in entry.items}
    if limit is not None and len(rules) > limit:
        setting = draft.settings["flow-limit"]
        message = f"the neighbor {draft.place.text} has {len(rules)} FlowSpec rules, its flow-limit is {limit}"
        context.problems.error(setting.source, setting.token, message)


def _add_path_families(
    context: Context, draft: Draft, families: tuple[Family, ...], capability: Capabilities
) -> tuple[Family, ...]:
    """Return the families that ADD-PATH is offered for."""
    if not (capability.add_path_send or capability.add_path_receive):
        return ()
    if not draft.add_path:
        return tuple(family for family in families if family in ADD_PATH_FAMILIES)
    found = []
    for place in draft.add_path:
        if place.family not in families:
            message = f"{place.family} has no ADD-PATH: it is not a family of this neighbor"
            context.problems.warn(place.source, place.token, message)
        elif place.family not in ADD_PATH_FAMILIES:
            context.problems.warn(place.source, place.token, f"ADD-PATH is not offered for {place.family}")
        else:
            found.append(place.family)
    return tuple(sorted(found))


def _paths_limits(context: Context, draft: Draft, capability: Capabilities) -> tuple[tuple[Family, int], ...]:
    """Return how many paths for a prefix are wanted, where several are received at all."""
    limited = [place for place in draft.add_path if place.limit]
    if limited and not capability.add_path_receive:
        context.problems.warn(
            limited[0].source, limited[0].token, "this limit has no effect: add-path does not receive"
        )
        return ()
    return tuple(sorted((place.family, place.limit) for place in limited))


def _prefix_limits(context: Context, draft: Draft, families: tuple[Family, ...]) -> tuple[PrefixLimit, ...]:
    """Return the limits of families that are offered."""
    for place in draft.prefix_limits:
        if place.limit.family not in families:
            message = f"this limit has no effect: {place.limit.family} is not a family of this neighbor"
            context.problems.warn(place.source, place.token, message)
    return tuple(place.limit for place in draft.prefix_limits if place.limit.family in families)
