"""A neighbor as a section of a configuration, for `show neighbor configuration` and `validate -n`."""

from __future__ import annotations

import json
from base64 import b64encode

from apid.compile import TYPES
from apid.config.directives import NEIGHBOR
from apid.control.neighbors import Known
from apid.control.section import quoted
from bgp.capability.role import ROLE_NAMES
from bgp.family import Family
from bgp.message import HEADER_LENGTH
from bgp.operational import ADVISORIES, ASM, RESPONSES, Operational
from bgp.prefix_limit import PrefixLimit
from bgp.settings import SessionSettings
from bgp.wire import address_text
from bus.settings import ApiBinding, SessionConfiguration

ADD_PATH = {0: "disable", 1: "receive", 2: "send", 3: "send/receive"}


def neighbor_lines(known: Known, helpers: list[tuple[str, ApiBinding]], flow_limit: int | None = None) -> list[str]:
    """Render a neighbor but for its routes; read again it is the same.

    What was not configured and has no default that can be written is left out. The order is ExaBGP's.
    """
    configuration, settings = known.configuration, known.settings
    unused = configuration.unused
    description = unused.get("description")
    lines = [f"neighbor {known.address} {{"]
    lines += _indented(
        [
            *_optional("description", description and json.dumps(description, ensure_ascii=False)),
            f"router-id {address_text(settings.router_id)};",
            *_optional("host-name", settings.host_name),
            *_optional("domain-name", settings.domain_name),
            f"local-address {configuration.local_address or 'auto'};",
            *_optional("source-interface", configuration.interface and quoted(configuration.interface)),
            f"local-as {settings.local_as if settings.local_as is not None else 'auto'};",
            f"peer-as {settings.peer_as if settings.peer_as is not None else 'auto'};",
            f"hold-time {settings.hold_time};",
            *_optional("rate-limit", configuration.rate_limit),
            f"manual-eor {_boolean(configuration.manual_eor)};",
            f"passive {_boolean(configuration.passive)};",
            *_optional("listen", unused.get("listen")),
            f"connect {configuration.port};",
            f"group-updates {_boolean(configuration.group_updates)};",
            f"auto-flush {unused.get('auto-flush', 'true')};",
            f"adj-rib-in {_boolean(configuration.adj_rib_in)};",
            f"adj-rib-out {_boolean(configuration.adj_rib_out)};",
            *_secrets(known),
            *_optional("md5-ip", unused.get("md5-ip")),
            *_limits(known, flow_limit),
        ]
    )
    lines += _indented(_section("capability", _capabilities(settings)))
    lines += _indented(_section("family", [f"{family};" for family in settings.families]))
    if settings.next_hops:
        hops = [f"{family} {'ipv6' if afi == 2 else 'ipv4'};" for family, afi in settings.next_hops]
        lines += _indented(_section("nexthop", hops))
    if settings.add_path and settings.add_path_families:
        limits = {family: f" limit {limit}" for family, limit in settings.paths_limits}
        offered = [f"{family}{limits.get(family, '')};" for family in settings.add_path_families]
        lines += _indented(_section("add-path", offered))
    if configuration.prefix_limits:
        lines += _indented(_section("maximum-prefix", _prefix_limits(configuration)))
    if configuration.operational:
        lines += _indented(_section("operational", _operational(configuration)))
    for name, binding in helpers:
        lines += _indented(_section("api", _api(name, binding)))
    return [*lines, "}"]


def _secrets(known: Known) -> list[str]:
    password = known.configuration.md5_password
    if not password:
        return []
    try:
        return [f"md5-password {quoted(password.decode())};"]
    except UnicodeDecodeError:
        return [f'md5-password "{b64encode(password).decode()}";', "md5-base64 true;"]


def _limits(known: Known, flow_limit: int | None) -> list[str]:
    configuration, settings = known.configuration, known.settings
    wait, default = int(configuration.end_of_rib_wait), NEIGHBOR["end-of-rib-wait"].default
    limits = {
        "outgoing-ttl": configuration.outgoing_ttl,
        "incoming-ttl": configuration.incoming_ttl,
        "send-hold-time": int(settings.send_hold_time) if settings.send_hold_time is not None else None,
        "end-of-rib-wait": wait if wait != default else None,
        "flow-limit": flow_limit,
    }
    return [f"{name} {value};" for name, value in limits.items() if value is not None]


def _prefix_limits(configuration: SessionConfiguration) -> list[str]:
    lines = []
    for family, *values in configuration.prefix_limits:
        limit = PrefixLimit(Family(*family), *values)
        line = f"{limit.family} {limit.maximum} warn {limit.warning * 100 // limit.maximum}"
        if not limit.teardown:
            line += " warning-only"
        if limit.restart is not None:
            line += f" restart {limit.restart}"
        lines.append(f"{line};")
    return lines


def _operational(configuration: SessionConfiguration) -> list[str]:
    """Return the messages in an order in which they are sent as they are now: of ASMs, the last one is the first."""
    messages = [Operational.decode(message[HEADER_LENGTH:]) for message in configuration.operational]
    repeated = [each for each in reversed(messages) if each.kind == ASM]
    return [_operational_line(each) for each in (*repeated, *(each for each in messages if each.kind != ASM))]


def _operational_line(message: Operational) -> str:
    line = f"{message.name.lower()} afi {message.family.afi_name} safi {message.family.safi_name}"
    if message.kind in ADVISORIES:
        return f"{line} advisory {quoted(message.advisory.decode())};"
    line += f" router-id {address_text(message.router_id)} sequence {message.sequence}"
    return f"{line} counter {message.counter};" if message.kind in RESPONSES else f"{line};"


def _capabilities(settings: SessionSettings) -> list[str]:
    restart = settings.graceful_restart
    return [
        f"asn4 {_switch(settings.asn4)};",
        f"extended-message {_switch(settings.extended_message)};",
        f"route-refresh {_switch(settings.route_refresh)};",
        f"graceful-restart {restart if restart is not None else 'disable'};",
        f"software-version {_switch(settings.software_version is not None)};",
        f"nexthop {_switch(bool(settings.next_hop or (settings.next_hop is None and settings.next_hops)))};",
        f"add-path {ADD_PATH[settings.add_path]};",
        f"multi-session {_switch(settings.multi_session)};",
        f"operational {_switch(settings.operational)};",
        f"aigp {_switch(settings.aigp)};",
        *_beyond_exabgp(settings),
    ]


def _beyond_exabgp(settings: SessionSettings) -> list[str]:
    """Return those that ExaBGP 5 does not know, where they are set."""
    lines = []
    if settings.link_local:
        lines.append("link-local-nexthop enable;")
    if settings.long_lived_time is not None:
        lines.append(f"long-lived-graceful-restart {settings.long_lived_time};")
    if settings.role is not None:
        lines.append(f"role {ROLE_NAMES[settings.role]};")
    if settings.role_strict:
        lines.append("role-strict enable;")
    return lines


def _api(name: str, binding: ApiBinding) -> list[str]:
    flags = {
        "neighbor-changes": binding.state,
        "fsm": binding.fsm,
        "negotiated": binding.negotiated,
        "signal": binding.signal,
    }
    lines = [f"processes [ {quoted(name)} ];", *(f"{flag};" for flag, on in flags.items() if on)]
    received = {
        "parsed": binding.received_parsed,
        "packets": binding.received_packets,
        "consolidate": binding.received_consolidate,
    }
    sent = {"parsed": binding.sent_parsed, "packets": binding.sent_packets, "consolidate": binding.sent_consolidate}
    for section, mask, forms in (("receive", binding.received, received), ("send", binding.sent, sent)):
        words = [form for form, on in forms.items() if on] + [kind for kind, bit in TYPES.items() if mask >> bit & 1]
        if words:
            lines += _section(section, [f"{word};" for word in words])
    return lines


def _section(name: str, lines: list[str]) -> list[str]:
    return [f"{name} {{", *_indented(lines), "}"]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _optional(name: str, value: object) -> list[str]:
    """Return the statement of a directive that is left out where it is not set."""
    return [f"{name} {value};"] if value else []


def _switch(on: bool) -> str:
    return "enable" if on else "disable"


def _boolean(on: bool) -> str:
    return "true" if on else "false"
