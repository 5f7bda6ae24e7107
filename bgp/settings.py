"""What a session is configured to be, and the OPEN that follows from it."""

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
    Hostname,
    LinkLocal,
    LongLivedGracefulRestart,
    Multiprotocol,
    MultiSession,
    Operational,
    PathsLimit,
    Role,
    RouteRefresh,
    SoftwareVersion,
)
from bgp.capability.add_path import RECEIVE
from bgp.capability.graceful_restart import FORWARDING, RESTARTING
from bgp.capability.hostname import NAME_LENGTH
from bgp.capability.software_version import VERSION_LENGTH
from bgp.family import AFI, FAMILIES, IPV4_SR_POLICY, IPV6_SR_POLICY, SAFI, Family
from bgp.open import Open
from bgp.wire import AS_TRANS, text_octets

# Offered where a configuration names no family: ExaBGP 5's own list.
DEFAULT_FAMILIES: tuple[Family, ...] = tuple(sorted(set(FAMILIES.values()) - {IPV4_SR_POLICY, IPV6_SR_POLICY}))

# Where ADD-PATH is ever offered, in the order of its entries.
ADD_PATH_FAMILIES = tuple(
    Family(afi, safi) for safi in (SAFI.UNICAST, SAFI.NLRI_MPLS, SAFI.MPLS_VPN) for afi in (AFI.IPV4, AFI.IPV6)
)


class SessionSettings(Struct, frozen=True):
    """One neighbor's session. Addresses are packed, times in seconds; defaults are ExaBGP 5's.

    `local_as` None copies the peer's (and waits for its OPEN); `peer_as` None accepts any. `graceful_restart`
    is a time, 0 for the hold time, None for off. `next_hops` are (family, AFI of the next hop). `next_hop`
    None follows `next_hops`. `add_path` is 1 receive, 2 send, 3 both; `add_path_families` None means all.
    `send_hold_time` None is the larger of 8 minutes and twice the hold time (RFC 9687).
    """

    router_id: bytes
    local_as: int | None
    peer_as: int | None
    hold_time: int = 180
    families: tuple[Family, ...] = DEFAULT_FAMILIES
    asn4: bool = True
    extended_message: bool = True
    route_refresh: bool = False
    graceful_restart: int | None = None
    restarting: bool = True
    long_lived_time: int | None = None
    add_path: int = 0
    add_path_families: tuple[Family, ...] | None = None
    paths_limits: tuple[tuple[Family, int], ...] = ()
    multi_session: bool = False
    operational: bool = False
    next_hop: bool | None = None
    next_hops: tuple[tuple[Family, int], ...] = ()
    link_local: bool = False
    aigp: bool = False
    software_version: str | None = None
    host_name: str | None = None
    domain_name: str | None = None
    role: int | None = None
    role_strict: bool = False
    passive: bool = False
    open_wait: float = 60.0
    send_hold_time: float | None = None
    attempts: int = 0  # dials before giving up, those that led to a session included; 0 for no end
    hear: bool = True  # report every message but UPDATEs as it is received

    def open(self, peer_as: int | None = None) -> Open:
        """Build the OPEN; `peer_as` is the peer's AS, for `local_as` None. Raise ValueError without either."""
        local_as = self.local_as if self.local_as is not None else peer_as
        if local_as is None:
            raise ValueError("local AS is automatic and the peer's AS is not known yet")
        asn = local_as if local_as < 65536 else AS_TRANS
        return Open(asn, self.hold_time, self.router_id, tuple(self._capabilities(local_as)))

    def _capabilities(self, local_as: int) -> list[Capability]:
        """List the capabilities in the order in which ExaBGP sends them, then those that it has not."""
        families = tuple(sorted(set(self.families)))
        capabilities: list[Capability] = [Multiprotocol(family) for family in families]
        if self.asn4:
            capabilities.append(FourOctetAsn(local_as))
        next_hops = self._next_hops(families)
        if next_hops or self.next_hop:
            capabilities.append(ExtendedNextHop(next_hops))
        add_path = self._add_path(families)
        if add_path:
            capabilities.append(AddPath(add_path))
        if self.graceful_restart is not None:
            capabilities.append(self._graceful_restart(families, self.graceful_restart))
        if self.route_refresh:
            capabilities += [RouteRefresh(), EnhancedRouteRefresh()]
        if self.operational:
            capabilities.append(Operational())
        if self.extended_message:
            capabilities.append(ExtendedMessage())
        if self.multi_session:
            # Draft and implementation disagree on the value; two capabilities is what ExaBGP's peers know.
            capabilities += [MultiSession(0), MultiSession(Multiprotocol.CODE), CiscoMultiSession(0)]
        if self.host_name:
            host_name = text_octets(self.host_name, NAME_LENGTH)
            capabilities.append(Hostname(host_name, text_octets(self.domain_name or "", NAME_LENGTH)))
        if self.software_version:
            capabilities.append(SoftwareVersion(text_octets(self.software_version, VERSION_LENGTH)))
        if self.role is not None and local_as != self.peer_as:
            capabilities.append(Role(self.role))
        if self.graceful_restart is not None and self.long_lived_time is not None:
            entries = tuple((family, FORWARDING, self.long_lived_time) for family in families)
            capabilities.append(LongLivedGracefulRestart(entries))
        limits = tuple(entry for entry in self.paths_limits if entry[0] in dict(add_path))
        if limits and self.add_path & RECEIVE:
            capabilities.append(PathsLimit(limits))
        if self.link_local:
            capabilities.append(LinkLocal())
        return capabilities

    def _next_hops(self, families: tuple[Family, ...]) -> tuple[tuple[Family, int], ...]:
        """IPv6 next hops of IPv4 families that are carried (RFC 8950); whether IPv6 is carried too does not matter."""
        if self.next_hop is False:
            return ()
        return tuple(
            (family, afi)
            for family, afi in sorted(set(self.next_hops))
            if family.afi == AFI.IPV4 and afi == AFI.IPV6 and family in families
        )

    def _add_path(self, families: tuple[Family, ...]) -> tuple[tuple[Family, int], ...]:
        """ADD-PATH for what is carried, eligible and asked for."""
        if not self.add_path:
            return ()
        wanted = families if self.add_path_families is None else self.add_path_families
        return tuple((family, self.add_path) for family in ADD_PATH_FAMILIES if family in families and family in wanted)

    def _graceful_restart(self, families: tuple[Family, ...], time: int) -> GracefulRestart:
        entries = tuple((family, FORWARDING) for family in families)
        return GracefulRestart(RESTARTING if self.restarting else 0, min(time or self.hold_time, 0xFFF), entries)
