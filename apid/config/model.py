"""The compiled configuration: what the rest of the product is told, complete and checked."""

from __future__ import annotations

from msgspec import Struct

from apid.config.errors import ConfigurationError
from apid.config.operational import OperationalMessage
from apid.config.source import Source
from apid.grammar.route import RouteEntry
from bgp.family import AFI, SAFI, Family
from bgp.prefix_limit import PrefixLimit

ALL_FAMILIES: tuple[Family, ...] = (
    *(Family(AFI.IPV4, safi) for safi in (1, 2, 4, 5, 85, 128, 132, 133, 134)),
    *(Family(AFI.IPV6, safi) for safi in (1, 2, 4, 5, 85, 128, 133, 134)),
    Family(AFI.L2VPN, SAFI.VPLS),
    Family(AFI.L2VPN, SAFI.EVPN),
    Family(AFI.BGP_LS, SAFI.BGP_LS),
    Family(AFI.BGP_LS, SAFI.BGP_LS_VPN),
)
"""What `family { all; }` and the absence of `family` mean, in the order of their numbers."""


class Capabilities(Struct, frozen=True):
    """What a neighbor's `capability` section says; `graceful_restart` is a time in seconds, None is off."""

    asn4: bool = True
    extended_message: bool = True
    route_refresh: bool = False
    graceful_restart: int | None = None
    add_path_send: bool = False
    add_path_receive: bool = False
    multi_session: bool = False
    operational: bool = False
    nexthop: bool = False
    aigp: bool = False
    software_version: bool = False
    link_local_nexthop: bool = False
    long_lived_graceful_restart: int | None = None  # seconds; None is off
    role: str | None = None  # a name of RFC 9234
    role_strict: bool = False


class MessageFlags(Struct, frozen=True):
    """Which messages of one direction a helper is told about, and in which form."""

    open: bool = False
    update: bool = False
    notification: bool = False
    keepalive: bool = False
    refresh: bool = False
    operational: bool = False
    parsed: bool = False
    packets: bool = False
    consolidate: bool = False


class ApiBlock(Struct, frozen=True):
    """One `api` section of a neighbor.

    `processes` names every helper of the block, those found by `processes_match` included.
    """

    name: str
    processes: tuple[str, ...] = ()
    processes_match: tuple[str, ...] = ()
    neighbor_changes: bool = False
    negotiated: bool = False
    fsm: bool = False
    signal: bool = False
    receive: MessageFlags = MessageFlags()
    send: MessageFlags = MessageFlags()


class Neighbor(Struct, frozen=True):
    """One peer, or a range of peers. Addresses are packed; None means automatic, or absent where so said.

    `name` is unique in the configuration: the peer's address, or that and a digest (`apid.config.names`).
    `peer_length` is the length of the prefix of accepted addresses: 32 or 128 for one peer.
    """

    name: str
    peer_address: bytes
    peer_length: int
    router_id: bytes
    local_as: int | None  # None: copied from the peer's OPEN
    peer_as: int | None  # None: any
    local_address: bytes | None = None
    description: str = ""
    source_interface: str | None = None  # None: not bound to a device
    hold_time: int = 180
    send_hold_time: int | None = None  # seconds; None: as RFC 9687 recommends
    flow_limit: int | None = None  # FlowSpec rules; None: no limit
    rate_limit: int | None = None  # messages in a second; None: no limit
    passive: bool = False
    listen: int = 0  # a further port to listen on; 0: none
    connect: int = 0  # the port to dial; 0: the environment's, else 179
    outgoing_ttl: int | None = None  # None: the system's
    incoming_ttl: int | None = None  # the lowest TTL to accept (RFC 5082); None: any
    md5_password: bytes | None = None  # decoded; None: no TCP MD5 signature
    md5_ip: bytes | None = None  # None: the local address
    host_name: str | None = None  # None: the hostname capability is not sent
    domain_name: str | None = None
    group_updates: bool = True
    auto_flush: bool = True
    adj_rib_in: bool = True
    adj_rib_out: bool = True
    end_of_rib_wait: int = 30  # seconds
    prefix_limits: tuple[PrefixLimit, ...] = ()
    manual_eor: bool = False
    families: tuple[Family, ...] = ALL_FAMILIES
    capability: Capabilities = Capabilities()
    next_hops: tuple[tuple[Family, int], ...] = ()  # RFC 8950: family, AFI of the next hop
    add_path_families: tuple[Family, ...] = ()  # where ADD-PATH is offered, if it is
    paths_limits: tuple[tuple[Family, int], ...] = ()  # how many paths for a prefix are wanted there
    api: tuple[ApiBlock, ...] = ()
    routes: tuple[RouteEntry, ...] = ()
    places: tuple[tuple[Source, int], ...] = ()  # of the routes, as offsets
    operational: tuple[OperationalMessage, ...] = ()
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def is_range(self) -> bool:
        """Whether any address of a prefix may be the peer."""
        return self.peer_length != len(self.peer_address) * 8


class Process(Struct, frozen=True):
    """One helper program. `run` is its resolved path and its arguments.

    `receive` and `send` are the process's own subscription, None where it has none: then it is told what
    the `api` sections of the neighbors say. `json_layout` is `by-prefix` or `by-next-hop`;
    `json_version` the release of ExaBGP whose JSON it reads.
    """

    name: str
    run: tuple[str, ...]
    encoder: str = ""  # empty: the environment's
    respawn: bool = True
    receive: MessageFlags | None = None
    send: MessageFlags | None = None
    neighbor_changes: bool = False
    negotiated: bool = False
    fsm: bool = False
    signal: bool = False
    json_layout: str = "by-next-hop"
    json_version: str = "5"
    file: str = ""
    line: int = 0
    column: int = 0


class Configuration(Struct, frozen=True):
    """All that the files say together, and what they were."""

    neighbors: tuple[Neighbor, ...] = ()
    processes: tuple[Process, ...] = ()
    sources: tuple[str, ...] = ()
    warnings: tuple[ConfigurationError, ...] = ()
