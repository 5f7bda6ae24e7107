"""Text of OPEN messages: capabilities in the order of their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from apid.render.values import address_text, one_line, words_text
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
from bgp.family import AFI_NAMES
from bgp.negotiated import EXTENDED_MESSAGE_SIZE
from bgp.open import Open

# All capabilities of one code -> text.
Row = Callable[[Sequence[Any]], str]


def multiprotocol(capabilities: Sequence[Multiprotocol]) -> str:
    """Render families."""
    return f"multiprotocol({','.join(str(capability.family) for capability in capabilities)})"


def extended_next_hop(capabilities: Sequence[ExtendedNextHop]) -> str:
    """Render family and AFI of the next hop."""
    entries = [
        f"{family} {AFI_NAMES.get(afi, str(afi))}" for capability in capabilities for family, afi in capability.entries
    ]
    return f"nexthop({','.join(entries)})"


def graceful_restart(capabilities: Sequence[GracefulRestart]) -> str:
    """Render flags, time, and families with their flags; of several capabilities the last counts (RFC 4724)."""
    capability = capabilities[-1]
    families = "".join(f" {family.afi_name}/{family.safi_name}=0x{flags:x}" for family, flags in capability.families)
    return f"graceful restart flags 0x{capability.flags:x} time {capability.time}{families}"


def add_path(capabilities: Sequence[AddPath]) -> str:
    """Render directions and families."""
    entries = [
        f"{MODE_NAMES.get(mode, str(mode))} {family}"
        for capability in capabilities
        for family, mode in capability.entries
    ]
    return f"addpath({','.join(entries)})"


def multi_session(variant: str) -> Row:
    """Make a row; all capabilities count, because ours has its flags and its code in a capability each."""

    def row(capabilities: Sequence[MultiSession | CiscoMultiSession]) -> str:
        codes = [code for capability in capabilities for code in (capability.flags, *capability.sessions) if code]
        return f"multisession{variant} {' '.join(map(capability_name, codes))}"

    return row


def hostname(capabilities: Sequence[Hostname]) -> str:
    """Render two names that a stranger chose."""
    names = capabilities[-1]
    return one_line(f"hostname({words_text(names.host_name)} {words_text(names.domain_name)})")


def software(capabilities: Sequence[SoftwareVersion]) -> str:
    """Render what a stranger says of itself."""
    return one_line(f"software({words_text(capabilities[-1].software).lower()})")


def constant(text: str) -> Row:
    """Make a row for a capability without a value."""
    return lambda capabilities: text


ROWS: dict[type[Capability], Row] = {
    Multiprotocol: multiprotocol,
    RouteRefresh: constant("route refresh"),
    ExtendedNextHop: extended_next_hop,
    ExtendedMessage: constant(f"extended message({EXTENDED_MESSAGE_SIZE})"),
    GracefulRestart: graceful_restart,
    FourOctetAsn: lambda capabilities: f"asn4({capabilities[-1].asn})",
    MultiSession: multi_session(" (rfc)"),
    AddPath: add_path,
    EnhancedRouteRefresh: constant("enhanced route refresh"),
    Hostname: hostname,
    SoftwareVersion: software,
    CiscoRouteRefresh: constant("cisco route refresh"),
    CiscoMultiSession: multi_session(""),
    Operational: constant("operational"),
}


def open_text(message: Open) -> str:
    """Render what follows the word `open`."""
    grouped: dict[int, list[Capability]] = {}
    for capability in message.capabilities:
        grouped.setdefault(capability.code, []).append(capability)
    texts = []
    for code in sorted(grouped):
        known = [capability for capability in grouped[code] if type(capability) in ROWS]
        texts.append(ROWS[type(known[0])](known) if known else f"unknown({code})")
    return (
        f"version {message.version} asn {message.asn} hold_time {message.hold_time} "
        f"router_id {address_text(message.router_id)} capabilities [{', '.join(texts)}]"
    )
