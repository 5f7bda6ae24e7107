"""Compare two OPENs: refuse the peer, or agree on the context of the session.

The outcome depends on the two messages and on `SessionFacts` alone, so that another process that is handed
these three values arrives at the same `Negotiated`.
"""

from __future__ import annotations

from msgspec import Struct

from bgp.capability import (
    AddPath,
    Capability,
    CiscoMultiSession,
    EnhancedRouteRefresh,
    ExtendedMessage,
    ExtendedNextHop,
    FourOctetAsn,
    GracefulRestart,
    Multiprotocol,
    MultiSession,
    Operational,
    Role,
    RouteRefresh,
)
from bgp.capability.add_path import BOTH, RECEIVE, SEND
from bgp.capability.graceful_restart import RESTARTING
from bgp.capability.role import ROLE_NAMES, ROLE_PAIRS
from bgp.errors import NotifyError
from bgp.family import IPV4_UNICAST, Family
from bgp.negotiated import EXTENDED_MESSAGE_SIZE, MESSAGE_SIZE, Negotiated
from bgp.open import Open
from bgp.wire import address_text


class SessionFacts(Struct, frozen=True):
    """What the OPENs do not say. `local_as` or `peer_as` None means: whatever the OPEN says."""

    local_as: int | None = None
    peer_as: int | None = None
    local_address: bytes = bytes(4)
    peer_address: bytes = bytes(4)
    aigp: bool = False
    role_strict: bool = False


def negotiate_messages(sent: bytes, received: bytes, facts: SessionFacts) -> Negotiated:
    """Do as `negotiate` does, from two whole OPEN messages with their headers."""
    return negotiate(Open.from_message(sent), Open.from_message(received), facts)


def negotiate(sent: Open, received: Open, facts: SessionFacts) -> Negotiated:
    """Return what the two agree upon; raise NotifyError 2/2, 2/3, 2/6 or 2/11 where they do not."""
    local_as = sent.real_asn if facts.local_as is None else facts.local_as
    peer_as = _peer_as(sent, received, facts)
    _check_identifier(sent, received, local_as == peer_as)
    if received.hold_time in (1, 2):
        reason = f"hold time {received.hold_time} is not 0 and less than 3"
        raise NotifyError(2, 6, reason, received.hold_time.to_bytes(2, "big"))
    families = _families(sent, received)
    ibgp = local_as == peer_as
    graceful = sent.last(GracefulRestart), received.last(GracefulRestart)
    add_path_send, add_path_receive = _add_path(sent, received, families)
    return Negotiated(
        local_as=local_as,
        peer_as=peer_as,
        local_address=facts.local_address,
        peer_address=facts.peer_address,
        local_id=sent.router_id,
        peer_id=received.router_id,
        hold_time=min(sent.hold_time, received.hold_time),
        asn4=_both(FourOctetAsn, sent, received),
        message_size=EXTENDED_MESSAGE_SIZE if _both(ExtendedMessage, sent, received) else MESSAGE_SIZE,
        families=families,
        add_path_send=add_path_send,
        add_path_receive=add_path_receive,
        next_hop=_next_hops(sent) & _next_hops(received),
        refresh=_refresh(sent, received),
        multisession=_both(MultiSession, sent, received) or _both(CiscoMultiSession, sent, received),
        operational=_both(Operational, sent, received),
        graceful_restart=graceful[0] is not None and graceful[1] is not None and bool(graceful[1].families),
        stale_routes=all(side is not None for side in graceful) and not _restarting(graceful[1]),
        aigp=ibgp or facts.aigp,
        role=None if ibgp else _role(sent, received, facts.role_strict),
    )


def _restarting(capability: GracefulRestart | None) -> bool:
    """Tell whether a speaker says that it has restarted: then it has forgotten all routes (RFC 4724 section 4.1)."""
    return capability is not None and bool(capability.flags & RESTARTING)


def _both(kind: type[Capability], sent: Open, received: Open) -> bool:
    return sent.has(kind) and received.has(kind)


def _peer_as(sent: Open, received: Open, facts: SessionFacts) -> int:
    """Find the peer's AS and check it (RFC 4271 section 6.2, RFC 6793 section 4.1, RFC 7607)."""
    asn = received.real_asn
    data = asn.to_bytes(4 if received.has(FourOctetAsn) else 2, "big")
    if asn == 0 or received.asn == 0:
        raise NotifyError(2, 2, "AS 0 is reserved (RFC 7607)", data)
    if facts.peer_as is None or facts.peer_as == asn:
        return asn
    if facts.peer_as == received.asn and not sent.has(FourOctetAsn):
        return received.asn  # we are a 2-octet speaker, and AS_TRANS is whom we were told to expect
    raise NotifyError(2, 2, f"peer's AS is {asn}, not {facts.peer_as}", data)


def _check_identifier(sent: Open, received: Open, ibgp: bool) -> None:
    """Check the BGP identifier (RFC 6286 section 2.2)."""
    if received.router_id == bytes(4):
        raise NotifyError(2, 3, "BGP identifier is 0.0.0.0", received.router_id)
    if ibgp and received.router_id == sent.router_id:
        reason = f"BGP identifier {address_text(received.router_id)} is our own"
        raise NotifyError(2, 3, reason, received.router_id)


def _announced_families(message: Open) -> tuple[Family, ...]:
    """List families once each; no multiprotocol capability at all means IPv4 unicast (RFC 4760 section 8)."""
    families = dict.fromkeys(capability.family for capability in message.all(Multiprotocol))
    return tuple(families) or (IPV4_UNICAST,)


def _families(sent: Open, received: Open) -> tuple[Family, ...]:
    theirs = _announced_families(received)
    return tuple(family for family in _announced_families(sent) if family in theirs)


def _modes(message: Open) -> dict[Family, int]:
    """Map families to ADD-PATH modes; the first of several and only defined modes count (RFC 7911 section 4)."""
    modes: dict[Family, int] = {}
    for capability in message.all(AddPath):
        for family, mode in capability.entries:
            if RECEIVE <= mode <= BOTH:
                modes.setdefault(family, mode)
    return modes


def _add_path(sent: Open, received: Open, families: tuple[Family, ...]) -> tuple[frozenset[Family], frozenset[Family]]:
    """Find where several paths may be sent, and where received: one can and the other wants."""
    ours, theirs = _modes(sent), _modes(received)
    both = [family for family in families if family in ours and family in theirs]
    send = frozenset(family for family in both if ours[family] & SEND and theirs[family] & RECEIVE)
    receive = frozenset(family for family in both if ours[family] & RECEIVE and theirs[family] & SEND)
    return send, receive


def _next_hops(message: Open) -> frozenset[tuple[Family, int]]:
    return frozenset(entry for capability in message.all(ExtendedNextHop) for entry in capability.entries)


def _refresh(sent: Open, received: Open) -> str:
    if _both(EnhancedRouteRefresh, sent, received):
        return "enhanced"
    return "normal" if _both(RouteRefresh, sent, received) else "absent"


def _role(sent: Open, received: Open, strict: bool) -> int | None:
    """Check the pair of roles (RFC 9234 section 4.2); return ours, which counts although the peer has none."""
    theirs = {capability.value for capability in received.all(Role)}
    if len(theirs) > 1:
        raise NotifyError(2, 11, f"peer announces several roles: {_role_names(theirs)}")
    ours = sent.last(Role)
    if ours is None:
        return None
    if not theirs:
        if strict:
            raise NotifyError(2, 11, "peer announces no role, and one is required")
        return ours.value
    if (ours.value, *theirs) not in ROLE_PAIRS:
        reason = f"roles do not match: ours {_role_names({ours.value})}, peer's {_role_names(theirs)}"
        raise NotifyError(2, 11, reason)
    return ours.value


def _role_names(values: set[int]) -> str:
    return ", ".join(ROLE_NAMES.get(value, str(value)) for value in sorted(values))
