"""Read the path attributes of a received UPDATE, and judge them by RFC 7606.

Two steps: `separate` cuts out MP_REACH_NLRI and MP_UNREACH_NLRI, which differ in every message; `read` reads
what is left, which repeats, so that its result can be kept.
"""

from __future__ import annotations

from typing import NamedTuple

from bgp.attribute.aggregator import Aggregator, As4Aggregator
from bgp.attribute.as_path import As4Path, AsPath, merge_paths
from bgp.attribute.attribute_set import AttributeSet
from bgp.attribute.next_hop import NextHop
from bgp.attribute.only_to_customer import OnlyToCustomer, leak
from bgp.attribute.origin import Origin
from bgp.attribute.registry import (
    ATTRIBUTES,
    OPTIONAL,
    OPTIONAL_NON_TRANSITIVE,
    PARTIAL,
    TRANSITIVE,
    Attribute,
)
from bgp.attribute.unknown import UnknownAttribute
from bgp.attribute.walk import MP_REACH_NLRI, MP_UNREACH_NLRI, walk
from bgp.errors import AttributeDiscard, NotifyError, TreatAsWithdraw
from bgp.negotiated import Negotiated
from bgp.wire import AS_TRANS, Truncated

UPDATE_MESSAGE_ERROR = 3
MALFORMED_ATTRIBUTE_LIST = 1
UNRECOGNIZED_WELL_KNOWN = 2
MISSING_WELL_KNOWN = 3
ATTRIBUTE_FLAGS_ERROR = 4
ATTRIBUTE_LENGTH_ERROR = 5
INVALID_NEXT_HOP = 8
OPTIONAL_ATTRIBUTE_ERROR = 9
INVALID_NETWORK_FIELD = 10

NAMES = {MP_REACH_NLRI: "MP_REACH_NLRI", MP_UNREACH_NLRI: "MP_UNREACH_NLRI"}


class Fault(NamedTuple):
    """A reason to treat an UPDATE as withdraw; `subcode` and `data` are for when only a session reset is left.

    data: the attribute, flags and all, where one is to blame (RFC 4271 section 6.3).
    """

    reason: str
    subcode: int
    data: bytes = b""


class Separated(NamedTuple):
    """A field of path attributes, cut in three.

    rest: all attributes but the next two. reach, unreach: values of MP_REACH_NLRI and MP_UNREACH_NLRI.
    reach_octets, unreach_octets: the same as whole attributes, for the data of a NOTIFICATION.
    fault: their flags are wrong.
    """

    rest: bytes
    reach: bytes | None
    reach_octets: bytes
    unreach: bytes | None
    unreach_octets: bytes
    fault: Fault | None


class Received(NamedTuple):
    """Attributes of an UPDATE and what RFC 7606 says about them.

    fault: treat the routes as withdrawn. missing: the same, but only where there are routes. discarded: which
    attributes were dropped because they are malformed, and why; those that are repeated, not accepted from this peer,
    or unknown and non-transitive are dropped in silence. next_hop: of the NLRI field, empty where there is none.
    leak: what RFC 9234 objects to. sound: IPv4 routes in the NLRI field may take all this as it is. plain: sound, and
    every attribute is known and means what it means by itself.
    """

    attributes: AttributeSet
    fault: Fault | None
    missing: str | None
    next_hop: bytes
    discarded: tuple[str, ...]
    leak: str | None
    sound: bool
    plain: bool


def separate(octets: bytes) -> Separated:
    """Cut out MP_REACH_NLRI and MP_UNREACH_NLRI.

    Raises NotifyError 3/1 where one of them occurs twice (RFC 7606 section 3g) and 3/9 where it is cut off, because
    then its routes are not known (section 5.3). Other damage stays in `rest` for `read`.
    """
    found: dict[int, tuple[bytes, bytes]] = {}
    fault: Fault | None = None
    rest: list[bytes] = []
    kept_from = after = 0
    try:
        for flags, code, start, value, stop in walk(octets):
            after = stop
            if code not in NAMES:
                continue
            if code in found:
                raise NotifyError(
                    UPDATE_MESSAGE_ERROR, MALFORMED_ATTRIBUTE_LIST, f"{NAMES[code]} occurs more than once"
                )
            found[code] = octets[start:stop], octets[value:stop]
            if flags & (OPTIONAL | TRANSITIVE) != OPTIONAL_NON_TRANSITIVE:
                reason = f"{NAMES[code]} flags 0x{flags:02x} are not 0x80"
                fault = fault or Fault(reason, ATTRIBUTE_FLAGS_ERROR, octets[start:stop])
            rest.append(octets[kept_from:start])
            kept_from = stop
    except Truncated as error:
        if octets[after + 1 : after + 2] in (b"\x0e", b"\x0f"):
            raise NotifyError(UPDATE_MESSAGE_ERROR, OPTIONAL_ATTRIBUTE_ERROR, str(error), octets[after:]) from error
    rest.append(octets[kept_from:])
    reach_octets, reach = found.get(MP_REACH_NLRI, (b"", None))
    unreach_octets, unreach = found.get(MP_UNREACH_NLRI, (b"", None))
    return Separated(b"".join(rest), reach, reach_octets, unreach, unreach_octets, fault)


def read(octets: bytes, negotiated: Negotiated, known: dict[bytes, Attribute]) -> Received | None:
    """Read attributes; None where MP_REACH_NLRI or MP_UNREACH_NLRI is among them, which `separate` takes out.

    `known` remembers sound attributes by their octets: in a full table sets differ, but their parts repeat.
    Raises NotifyError 3/2 for an unrecognised well-known attribute; every other error ends in the result.
    """
    attributes: dict[int, Attribute] = {}
    seen: set[int] = set()
    discarded: list[str] = []
    fault: Fault | None = None
    plain = negotiated.asn4
    try:
        for flags, code, start, value, stop in walk(octets):
            if code in seen:  # RFC 7606 section 3g: the first one counts
                plain = False
                continue
            seen.add(code)
            whole = octets[start:stop]
            attribute = known.get(whole)
            if attribute is not None:
                attributes[code] = attribute
                continue
            if code in NAMES:
                return None
            row = ATTRIBUTES.get(code)
            if row is None:
                plain = False
                if not flags & OPTIONAL:
                    raise NotifyError(
                        UPDATE_MESSAGE_ERROR,
                        UNRECOGNIZED_WELL_KNOWN,
                        f"well-known attribute {code} is not recognised",
                        whole,
                    )
                if flags & TRANSITIVE:  # others are quietly ignored (RFC 4271 section 5)
                    attributes[code] = UnknownAttribute(code, flags | PARTIAL, octets[value:stop])
                continue
            if (flags ^ row.flags) & (OPTIONAL | TRANSITIVE):
                # RFC 7606 section 3c, also for what this peer may not send: of two answers the stronger (3h).
                reason = f"{row.name} flags 0x{flags:02x} are not 0x{row.flags:02x}"
                if row.wrong_flags is TreatAsWithdraw:
                    fault = fault or Fault(reason, ATTRIBUTE_FLAGS_ERROR, whole)
                else:
                    discarded.append(reason)
                continue
            if not row.accepted(negotiated):
                continue
            try:
                attributes[code] = known[whole] = row.attribute.decode(octets[value:stop], negotiated)
            except TreatAsWithdraw as error:
                subcode = row.subcode if row.length in (None, stop - value) else ATTRIBUTE_LENGTH_ERROR
                fault = fault or Fault(str(error), subcode, whole)
            except AttributeDiscard as error:
                discarded.append(str(error))
    except Truncated as error:  # RFC 7606 section 4: it is the whole list whose length is wrong
        fault = fault or Fault(str(error), MALFORMED_ATTRIBUTE_LIST)
    if not negotiated.asn4:
        _merge_four_octet_numbers(attributes)
    return _judge(octets, attributes, fault, discarded, negotiated, plain and len(seen) == len(attributes))


def _merge_four_octet_numbers(attributes: dict[int, Attribute]) -> None:
    """Put AS4_AGGREGATOR and AS4_PATH into AGGREGATOR and AS_PATH (RFC 6793 section 4.2.3)."""
    aggregator = attributes.get(Aggregator.CODE)
    path = attributes.get(AsPath.CODE)
    path4 = attributes.pop(As4Path.CODE, None)
    aggregator4 = attributes.pop(As4Aggregator.CODE, None)
    if isinstance(aggregator, Aggregator) and isinstance(aggregator4, As4Aggregator):
        if aggregator.asn != AS_TRANS:  # aggregated later, by a speaker that knows only 2 octets
            return
        attributes[Aggregator.CODE] = Aggregator(aggregator4.asn, aggregator4.address)
    if isinstance(path, AsPath) and isinstance(path4, As4Path):
        attributes[AsPath.CODE] = merge_paths(path, path4)


def _judge(
    octets: bytes,
    attributes: dict[int, Attribute],
    fault: Fault | None,
    discarded: list[str],
    negotiated: Negotiated,
    plain: bool,
) -> Received:
    """Add what is to be said of the attributes as a whole; `plain` is what is known of that so far."""
    missing = leaked = None
    if Origin.CODE not in attributes:
        missing = "ORIGIN is missing"
    elif AsPath.CODE not in attributes:
        missing = "AS_PATH is missing"
    next_hop = attributes.get(NextHop.CODE)
    address = next_hop.address if isinstance(next_hop, NextHop) else b""
    if OnlyToCustomer.CODE in attributes:
        otc = attributes[OnlyToCustomer.CODE]
        leaked = leak(negotiated.role, otc.asn, negotiated.peer_as) if isinstance(otc, OnlyToCustomer) else None
    sound = bool(address) and not (fault or missing or leaked or next_hop_fault(address, negotiated))
    return Received(
        AttributeSet(octets, attributes), fault, missing, address, tuple(discarded), leaked, sound, plain and sound
    )


def next_hop_fault(address: bytes, negotiated: Negotiated) -> str | None:
    """Tell why 4 or 16 octets cannot be a next hop (RFC 4271 section 6.3).

    Loopback addresses pass, even our own: laboratories run both speakers on one host.
    """
    first = address[0]
    if len(address) == 4:
        if first == 0 or first >= 224:
            return f"next hop {'.'.join(map(str, address))} is not an address of a host"
        if first != 127 and address == negotiated.local_address:
            return f"next hop {'.'.join(map(str, address))} is our own address"
        return None
    if first == 0xFF or not any(address):
        return f"next hop {address.hex(':', 2)} is not an address of a host"
    if address == negotiated.local_address and any(address[:15]):
        return f"next hop {address.hex(':', 2)} is our own address"
    return None
