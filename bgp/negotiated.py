"""What two OPENs agreed upon: the value that every encoder and decoder of a session is given."""

from __future__ import annotations

from msgspec import Struct

from bgp.family import IPV4_UNICAST, Family

MESSAGE_SIZE = 4096  # RFC 4271 section 4.1
EXTENDED_MESSAGE_SIZE = 65535  # RFC 8654


class Negotiated(Struct, frozen=True):
    """The context of one established session. Addresses are packed; times are in seconds."""

    local_as: int = 65000
    peer_as: int = 65000
    local_address: bytes = bytes(4)
    peer_address: bytes = bytes(4)
    local_id: bytes = bytes(4)
    peer_id: bytes = bytes(4)
    hold_time: int = 180
    asn4: bool = True
    message_size: int = MESSAGE_SIZE
    families: tuple[Family, ...] = (IPV4_UNICAST,)
    add_path_send: frozenset[Family] = frozenset()
    add_path_receive: frozenset[Family] = frozenset()
    next_hop: frozenset[tuple[Family, int]] = frozenset()  # RFC 8950: (family, AFI of the next hop)
    refresh: str = "absent"  # or "normal" (RFC 2918), "enhanced" (RFC 7313)
    multisession: bool = False
    operational: bool = False
    graceful_restart: bool = False
    stale_routes: bool = False  # RFC 4724: the peer may hold our routes of a former session, until End-of-RIB
    aigp: bool = False  # RFC 7311: AIGP may be sent to and accepted from this peer
    role: int | None = None  # RFC 9234: our role, which decides OTC; None within an AS, too

    @property
    def ibgp(self) -> bool:
        """Whether both ends are in the same autonomous system."""
        return self.local_as == self.peer_as
