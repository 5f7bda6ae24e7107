"""Readers of the segment routing TLVs of the BGP-LS attribute: MPLS (RFC 9085) and SRv6 (RFC 9514).

Each takes the octets of one TLV's value and raises ValueError where they are too few or too many.
"""

from __future__ import annotations

from bgp.nlri.link_state_tlv import Value, flags, hexadecimal, read_tlvs
from bgp.wire import Reader, Truncated, address_text

SID_LABEL = 1161
SID_STRUCTURE = 1252
LABEL_MASK = 0xFFFFF

ADJACENCY_FLAGS = ("F", "B", "V", "L", "S", "P")
VALUE_AND_LOCAL = 0x30  # V and L of an IS-IS adjacency SID (RFC 8667 section 2.2.1)
PREFIX_VALUE_AND_LOCAL = 0x0C  # V and L of a prefix SID (RFC 8667 section 2.1.1)
OSPF_LAN_LENGTHS = (11, 12)  # RFC 9085 section 2.2.2: OSPF's neighbor identifier is 4 octets, IS-IS's 6


def sids_of(octets: bytes, value_and_local: int, wanted: int) -> tuple[list[int], list[str]]:
    """Read segment identifiers: labels of 3 octets where V and L are set, indexes of 4 where neither is.

    With one of the two set there is no telling: the octets come out in hexadecimal, as the second list.
    """
    if value_and_local == wanted:
        size = 3
    elif value_and_local == 0:
        size = 4
    else:
        return [], [hexadecimal(octets)] if octets else []
    if len(octets) % size:
        raise Truncated(f"segment identifiers of {size} octets expected, {len(octets)} left")
    mask = LABEL_MASK if size == 3 else 0xFFFFFFFF
    return [int.from_bytes(octets[offset : offset + size], "big") & mask for offset in range(0, len(octets), size)], []


def segment_routing_capabilities(value: bytes) -> dict[str, Value]:
    """Read flags and label blocks, each a range and its first label or index (RFC 9085 section 2.1.2)."""
    reader = Reader(value)
    octet = reader.u8()
    reader.take(1)
    blocks: list[Value] = []
    while len(reader):
        size = reader.u24()
        kind = reader.u16()
        sid = reader.take(reader.u16())
        if kind != SID_LABEL:
            raise ValueError(f"sub-TLV {SID_LABEL} expected, {kind} seen")
        blocks.append([size, block_start(sid)])
    return {"sr-capability-flags": flags(octet, "I", "V"), "sids": blocks}


def block_start(sid: bytes) -> int:
    """Read a label in 3 octets or an index in 4 (RFC 9085 section 2.1.1)."""
    if len(sid) not in (3, 4):
        raise ValueError(f"a SID/label has 3 or 4 octets, not {len(sid)}")
    return int.from_bytes(sid, "big") & (LABEL_MASK if len(sid) == 3 else 0xFFFFFFFF)


def adjacency_sid(value: bytes) -> dict[str, Value]:
    """Read an adjacency SID (RFC 9085 section 2.2.1)."""
    reader = Reader(value)
    octet = reader.u8()
    weight = reader.u8()
    reader.take(2)
    sids, undecoded = sids_of(reader.rest(), octet & VALUE_AND_LOCAL, VALUE_AND_LOCAL)
    return {
        "flags": flags(octet, *ADJACENCY_FLAGS),
        "sids": sids,
        "weight": weight,
        "undecoded-sids": undecoded,
    }


def lan_adjacency_sid(value: bytes) -> dict[str, Value]:
    """Read a LAN adjacency SID (RFC 9085 section 2.2.2), towards an IS-IS system or an OSPF neighbor."""
    reader = Reader(value)
    octet = reader.u8()
    weight = reader.u8()
    reader.take(2)
    said: dict[str, Value] = {"flags": flags(octet, *ADJACENCY_FLAGS), "weight": weight}
    if len(value) in OSPF_LAN_LENGTHS:
        said["neighbor-id"] = address_text(reader.take(4))
    else:
        said["system-id"] = reader.take(6).hex()
    said["sids"], said["undecoded"] = sids_of(reader.rest(), octet & VALUE_AND_LOCAL, VALUE_AND_LOCAL)
    return said


def prefix_sid(value: bytes) -> dict[str, Value]:
    """Read a prefix SID (RFC 9085 section 2.3.1)."""
    reader = Reader(value)
    octet = reader.u8()
    algorithm = reader.u8()
    reader.take(2)
    sids, undecoded = sids_of(reader.rest(), octet & PREFIX_VALUE_AND_LOCAL, PREFIX_VALUE_AND_LOCAL)
    return {
        "sr-prefix-flags": flags(octet, "R", "N", "P", "E", "V", "L"),
        "sids": sids,
        "undecoded-sids": undecoded,
        "sr-algorithm": algorithm,
    }


def srv6_capabilities(value: bytes) -> dict[str, Value]:
    """Read SRv6 capabilities: the O flag is the second of 16 bits (RFC 9514 section 3.1)."""
    reader = Reader(value)
    octets = reader.u16()
    reader.take(2)
    return {"flags": {"O": octets >> 14 & 1}}


def srv6_locator(value: bytes) -> dict[str, Value]:
    """Read an SRv6 locator (RFC 9514 section 5.1). No sub-TLV of it is known."""
    reader = Reader(value)
    octet = reader.u8()
    algorithm = reader.u8()
    reader.take(2)
    metric = reader.u32()
    read_tlvs(reader.rest())
    return {"flags": flags(octet, "D"), "algorithm": algorithm, "metric": metric}


def srv6_endpoint_behavior(value: bytes) -> dict[str, Value]:
    """Read an SRv6 endpoint behavior (RFC 9514 section 7.1), for which no flag is defined."""
    reader = Reader(value)
    behavior = reader.u16()
    reader.take(1)
    algorithm = reader.u8()
    reader.finish()
    return {"endpoint-behavior": behavior, "flags": [], "algorithm": algorithm}


def sid_structure(value: bytes) -> dict[str, Value]:
    """Read the lengths in bits of an SRv6 SID's parts (RFC 9514 section 8)."""
    if len(value) != 4:
        raise ValueError(f"4 octets expected, {len(value)} seen")
    return {
        "loc_block_len": value[0],
        "loc_node_len": value[1],
        "func_len": value[2],
        "arg_len": value[3],
    }


def srv6_end_x(value: bytes) -> dict[str, Value]:
    """Read an SRv6 End.X SID (RFC 9514 section 4.1)."""
    return end_x(value, 0, "subtlv-not-implemented-{}")


def srv6_lan_end_x_isis(value: bytes) -> dict[str, Value]:
    """Read an SRv6 LAN End.X SID of IS-IS (RFC 9514 section 4.2)."""
    return end_x(value, 6, "{}-undecoded")


def srv6_lan_end_x_ospf(value: bytes) -> dict[str, Value]:
    """Read an SRv6 LAN End.X SID of OSPFv3 (RFC 9514 section 4.2)."""
    return end_x(value, 4, "{}-undecoded")


def end_x(value: bytes, neighbor_octets: int, unknown: str) -> dict[str, Value]:
    """Read any End.X SID; `unknown` is the name of a sub-TLV that is not known, with its type to fill in."""
    reader = Reader(value)
    behavior = reader.u16()
    octet = reader.u8()
    algorithm = reader.u8()
    weight = reader.u8()
    reader.take(1)
    said: dict[str, Value] = {"flags": flags(octet, "B", "S", "P")}
    if neighbor_octets:
        neighbor = reader.take(neighbor_octets)
        said["neighbor-id"] = address_text(neighbor) if neighbor_octets == 4 else neighbor.hex()
    said["behavior"] = behavior
    said["algorithm"] = algorithm
    said["weight"] = weight
    said["sid"] = address_text(reader.take(16))
    for kind, octets in read_tlvs(reader.rest()):
        if kind == SID_STRUCTURE:
            said["srv6-sid-structure"] = sid_structure(octets)
        else:
            said[unknown.format(kind)] = hexadecimal(octets)
    return said
