"""What BGP-LS descriptors say (RFC 9552 sections 5.2.1, 5.2.2 and 5.2.3, RFC 9514 section 6.1)."""

from __future__ import annotations

from bgp.nlri.link_state_tlv import Tlv, Value, check_length, hexadecimal, read_tlvs
from bgp.nlri.prefix import clear_host_bits, octets_of
from bgp.wire import address_text


class Protocol:
    """Protocol-ID (IANA, BGP-LS Protocol-IDs)."""

    ISIS_LEVEL_1 = 1
    ISIS_LEVEL_2 = 2
    OSPFV2 = 3
    DIRECT = 4
    STATIC = 5
    OSPFV3 = 6
    BGP = 7


ISIS = frozenset((Protocol.ISIS_LEVEL_1, Protocol.ISIS_LEVEL_2))

# Protocols whose router identifiers are 4 octets, printed as an address. ExaBGP counts static among them.
OSPF = frozenset((Protocol.OSPFV2, Protocol.OSPFV3, Protocol.STATIC))


class Descriptor:
    """TLV types of descriptors (IANA, BGP-LS NLRI and attribute TLVs)."""

    LOCAL_NODE = 256
    REMOTE_NODE = 257
    LINK_IDENTIFIERS = 258
    IPV4_INTERFACE_ADDRESS = 259
    IPV4_NEIGHBOR_ADDRESS = 260
    IPV6_INTERFACE_ADDRESS = 261
    IPV6_NEIGHBOR_ADDRESS = 262
    MULTI_TOPOLOGY = 263
    OSPF_ROUTE_TYPE = 264
    IP_REACHABILITY = 265
    AUTONOMOUS_SYSTEM = 512
    BGP_LS_IDENTIFIER = 513
    OSPF_AREA = 514
    ROUTER_ID = 515
    SRV6_SID = 518


FIXED_LENGTHS = {
    Descriptor.LINK_IDENTIFIERS: 8,
    Descriptor.IPV4_INTERFACE_ADDRESS: 4,
    Descriptor.IPV4_NEIGHBOR_ADDRESS: 4,
    Descriptor.IPV6_INTERFACE_ADDRESS: 16,
    Descriptor.IPV6_NEIGHBOR_ADDRESS: 16,
    Descriptor.OSPF_ROUTE_TYPE: 1,
    Descriptor.SRV6_SID: 16,
    Descriptor.AUTONOMOUS_SYSTEM: 4,
    Descriptor.BGP_LS_IDENTIFIER: 4,
    Descriptor.OSPF_AREA: 4,
}


def check_descriptors(descriptors: tuple[Tlv, ...]) -> None:
    """Raise ValueError where a descriptor is malformed (RFC 9552 section 8.2.2: syntax only, not sense).

    Unknown types pass, and so does an order that is not ascending: old speakers send it.
    """
    for kind, value in descriptors:
        if kind in (Descriptor.LOCAL_NODE, Descriptor.REMOTE_NODE):
            # One level: a node within a node means nothing, and a message could nest a thousand.
            for inner, octets in read_tlvs(value):
                check_descriptor(inner, octets)
        else:
            check_descriptor(kind, value)


def check_descriptor(kind: int, value: bytes) -> None:
    """Raise ValueError where the value of a descriptor, or of a node's part, has not the length of its type."""
    if kind in FIXED_LENGTHS:
        check_length(kind, value, FIXED_LENGTHS[kind])
    elif kind == Descriptor.MULTI_TOPOLOGY:
        topologies(value)


def topologies(value: bytes) -> tuple[int, ...]:
    """Read multi-topology identifiers, 12 bits each (RFC 9552 section 5.2.2.1); raises ValueError."""
    if len(value) % 2:
        raise ValueError(f"link-state TLV {Descriptor.MULTI_TOPOLOGY} length {len(value)} is not a multiple of 2")
    return tuple(int.from_bytes(value[offset : offset + 2], "big") & 0x0FFF for offset in range(0, len(value), 2))


def prefix_of(value: bytes, size: int) -> tuple[int, bytes]:
    """Read IP reachability (RFC 9552 section 5.2.3.2): length in bits, address of `size` octets.

    Octets that are missing count as zero, since some speakers omit them. Raises ValueError.
    """
    if not value:
        raise ValueError(f"link-state TLV {Descriptor.IP_REACHABILITY} has at least 1 octet, not 0")
    length, octets = value[0], value[1:]
    if length > size * 8:
        raise ValueError(f"IP reachability length {length} is not within 0..{size * 8}")
    if len(octets) > octets_of(length):
        raise ValueError(f"IP reachability of {length} bits has {octets_of(length)} octets, not {len(octets)}")
    return length, clear_host_bits(octets.ljust(size, b"\0"), length)


def link_identifiers(value: bytes) -> dict[str, Value]:
    """Read link local and remote identifiers (RFC 5307 section 1.1), 8 octets."""
    return {
        "link-local-id": int.from_bytes(value[:4], "big"),
        "link-remote-id": int.from_bytes(value[4:], "big"),
    }


def node_descriptors(protocol: int, value: bytes) -> list[dict[str, Value]]:
    """Read the sub-TLVs of a node descriptor (RFC 9552 section 5.2.1.4), one object for each."""
    return [node_descriptor(protocol, kind, octets) for kind, octets in read_tlvs(value)]


def node_descriptor(protocol: int, kind: int, value: bytes) -> dict[str, Value]:
    """Read one sub-TLV; what is not known, or has no meaning in the protocol, comes out in hexadecimal."""
    if kind == Descriptor.AUTONOMOUS_SYSTEM:
        return {"autonomous-system": int.from_bytes(value, "big")}
    if kind == Descriptor.BGP_LS_IDENTIFIER:
        return {"bgp-ls-identifier": str(int.from_bytes(value, "big"))}
    if kind == Descriptor.OSPF_AREA:
        return {"ospf-area-id": address_text(value)}
    if kind == Descriptor.ROUTER_ID:
        named = router_id(protocol, value)
        if named:
            return named
    return {f"generic-node-descriptor-{kind}": hexadecimal(value)}


def router_id(protocol: int, value: bytes) -> dict[str, Value]:
    """Read an IGP router identifier (RFC 9552 section 5.2.1.4); empty where its length says nothing.

    An IS-IS pseudonode is 7 octets: system identifier and `psn`, which is no pseudonode where it is 0. An OSPF one
    is 8: router and designated router.
    """
    if protocol in ISIS and len(value) == 6:
        return {"router-id": value.hex()}
    if protocol in ISIS and len(value) == 7:
        return {"router-id": value.hex(), **({"psn": str(value[6])} if value[6] else {})}
    if protocol in OSPF and len(value) == 4:
        return {"router-id": address_text(value)}
    if protocol in OSPF and len(value) == 8:
        return {"router-id": address_text(value[:4]), "designated-router-id": address_text(value[4:])}
    return {}
