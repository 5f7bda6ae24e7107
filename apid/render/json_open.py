"""JSON of OPEN messages and of what two of them agreed upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from apid.render.names import CAPABILITIES
from apid.render.values import address_text, quote, words_text
from bgp.capability import (
    AddPath,
    Capability,
    CiscoMultiSession,
    CiscoRouteRefresh,
    EnhancedRouteRefresh,
    ExtendedMessage,
    ExtendedNextHop,
    FourOctetAsn,
    GracefulRestart,
    Hostname,
    Multiprotocol,
    MultiSession,
    Operational,
    RouteRefresh,
    SoftwareVersion,
    capability_name,
)
from bgp.capability.add_path import MODE_NAMES
from bgp.capability.graceful_restart import FORWARDING, RESTARTING
from bgp.family import AFI_NAMES, SAFI_NAMES, Family
from bgp.negotiated import EXTENDED_MESSAGE_SIZE, Negotiated
from bgp.open import Open

# All capabilities of one code -> members of its object.
Row = Callable[[Sequence[Any]], str]

BEFORE_OPEN = Negotiated(hold_time=0, asn4=False, families=())  # what is agreed upon before two OPENs crossed


def afi_text(afi: int) -> str:
    """Render an AFI; the words for unknown ones are those of ExaBGP, as all that helpers read here."""
    return AFI_NAMES.get(afi) or (f"unknown-afi-{afi:#x}" if afi else "undefined")


def slashed(family: Family) -> str:
    """Render a family as capabilities spell it."""
    return f"{afi_text(family.afi)}/{SAFI_NAMES.get(family.safi) or f'unknown safi {family.safi}'}"


def quoted(texts: Sequence[str]) -> str:
    """Render strings as the inside of a list, with a space before each end."""
    return f"[ {', '.join(quote(text) for text in texts)} ]" if texts else "[ ]"


def multiprotocol(capabilities: Sequence[Multiprotocol]) -> str:
    """Render families."""
    families = quoted([slashed(capability.family) for capability in capabilities])
    return f'"name": "multiprotocol", "families": {families}'


def extended_next_hop(capabilities: Sequence[ExtendedNextHop]) -> str:
    """Render family/AFI of the next hop, each once."""
    entries = dict.fromkeys(entry for capability in capabilities for entry in capability.entries)
    conversions = quoted([f"{slashed(family)}/{afi_text(afi)}" for family, afi in entries])
    return f'"name": "nexthop", "conversion": {conversions}'


def graceful_restart(capabilities: Sequence[GracefulRestart]) -> str:
    """Render time, families, and flags under the names that helpers know: they are the other way round."""
    capability = capabilities[-1]
    flags = {slashed(family): '[ "restart" ]' if value & FORWARDING else "[ ]" for family, value in capability.families}
    families = " , ".join(f'"{family}": {words}' for family, words in flags.items())
    restart = '[ "forwarding" ]' if capability.flags & RESTARTING else "[ ]"
    return (
        f'"name": "graceful restart", "time": {capability.time}, '
        f'"address-family-flags": {{ {families} }}, "restart-flags": {restart} '
    )


def add_path(capabilities: Sequence[AddPath]) -> str:
    """Render families and directions."""
    modes = {
        slashed(family): MODE_NAMES.get(mode, f"invalid ({mode})")
        for capability in capabilities
        for family, mode in capability.entries
    }
    entries = ",".join(f'"{family}": "{mode}"' for family, mode in modes.items())
    return f'"name": "addpath", {entries}' if entries else '"name": "addpath"'


def multi_session(variant: str) -> Row:
    """Make a row; of several capabilities ExaBGP reads the first, without its flags."""

    def row(capabilities: Sequence[MultiSession | CiscoMultiSession]) -> str:
        names = quoted([capability_name(code) for code in capabilities[0].sessions])
        return f'"name": "multisession", "variant": "{variant}", "capabilities": {names}'

    return row


def hostname(capabilities: Sequence[Hostname]) -> str:
    """Render two names that a stranger chose."""
    names = capabilities[-1]
    return f'"host-name": {quote(words_text(names.host_name))}, "domain-name": {quote(words_text(names.domain_name))}'


def constant(members: str) -> Row:
    """Make a row for a capability without a value."""
    return lambda capabilities: members


ROWS: dict[type[Capability], Row] = {
    Multiprotocol: multiprotocol,
    RouteRefresh: constant('"name": "route-refresh", "variant": "RFC"'),
    ExtendedNextHop: extended_next_hop,
    ExtendedMessage: constant(f'"name": "extended-message", "size": {EXTENDED_MESSAGE_SIZE}'),
    GracefulRestart: graceful_restart,
    FourOctetAsn: lambda capabilities: f'"name": "asn4", "asn4": {capabilities[-1].asn}',
    MultiSession: multi_session("RFC"),
    AddPath: add_path,
    EnhancedRouteRefresh: constant('"name": "enhanced-route-refresh"'),
    Hostname: hostname,
    SoftwareVersion: lambda capabilities: f'"software": {quote(words_text(capabilities[-1].software))}',
    CiscoRouteRefresh: constant('"name": "route-refresh", "variant": "Cisco"'),
    CiscoMultiSession: multi_session("Cisco"),
    Operational: constant('"name": "operational"'),
}
# Flags and the code that tells our sessions apart are sent in a capability each.
SENT_ROWS = ROWS | {
    MultiSession: constant('"name": "multisession", "variant": "RFC", "capabilities": [ "multiprotocol" ]')
}


def unknown(capability: Capability) -> str:
    """Render a capability as octets, with what the registry says of its number."""
    code = capability.code
    iana = "reserved" if code >= 128 else "unassigned" if 71 <= code < 128 else "unknown"
    return f'"name": "unknown", "iana": "{iana}", "value": {code}, "raw": "{capability.encode().hex().upper()}"'


def open_json(message: Open, received: bool) -> str:
    """Render the `open` object; capabilities are keyed by number where received, by name where sent."""
    grouped: dict[int, list[Capability]] = {}
    for capability in message.capabilities:
        grouped.setdefault(capability.code, []).append(capability)
    entries = []
    rows = ROWS if received else SENT_ROWS
    for code, capabilities in grouped.items():
        known = [capability for capability in capabilities if type(capability) in rows]
        members = rows[type(known[0])](known) if known else unknown(capabilities[-1])
        key = str(code) if received else CAPABILITIES.get(code, str(code))
        entries.append(f'"{key}": {{ {members} }}')
    return (
        f'{{ "version": {message.version}, "asn": {message.asn}, "hold_time": {message.hold_time}, '
        f'"router_id": "{address_text(message.router_id)}", "capabilities": {{ {", ".join(entries)} }} }}'
    )


def negotiated_json(negotiated: Negotiated) -> str:
    """Render what two OPENs agreed upon."""

    def names(families: Sequence[Family]) -> str:
        return "[" + ", ".join(f'"{family}"' for family in families) + "]"

    def boolean(value: bool) -> str:
        return "true" if value else "false"

    send = [family for family in negotiated.families if family in negotiated.add_path_send]
    receive = [family for family in negotiated.families if family in negotiated.add_path_receive]
    next_hops = [f'"{family} {AFI_NAMES.get(afi, str(afi))}"' for family, afi in sorted(negotiated.next_hop)]
    return (
        f'{{ "message_size": {negotiated.message_size}, "hold_time": {negotiated.hold_time}, '
        f'"asn4": {boolean(negotiated.asn4)}, "multisession": {boolean(negotiated.multisession)}, '
        f'"operational": {boolean(negotiated.operational)}, "refresh": "{negotiated.refresh}", '
        f'"families": {names(negotiated.families)}, "nexthop": [{", ".join(next_hops)}], '
        f'"add_path": {{"send": {names(send)}, "receive": {names(receive)}}} }}'
    )
