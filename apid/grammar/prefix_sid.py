"""The BGP Prefix-SID attribute from its two keywords (RFC 8669, RFC 9252)."""

from __future__ import annotations

from apid.grammar.values import any_number, ipv6_value, number, read
from apid.grammar.words import Words, unknown_word
from bgp.attribute import Attribute
from bgp.attribute.prefix_sid import PrefixSid, PrefixSidTlv
from bgp.attribute.prefix_sid_service import ANY_BEHAVIOR, SidStructure, Srv6Sid

SERVICES = {"l3-service": PrefixSidTlv.SRV6_L3_SERVICE, "l2-service": PrefixSidTlv.SRV6_L2_SERVICE}
OLD_SERVICES = {"l3vpn": "l3-service", "vpn": "l3-service", "ipv6": "l3-service"}
MAXIMUM_24 = 0xFFFFFF


def read_prefix_sid(words: Words) -> tuple[Attribute, ...]:
    """Read `[ INDEX ]` or `[ INDEX, [ ( BASE,RANGE ), … ] ]`."""
    words.expect("[")
    index = read(words, "label index", number("label index"))
    words.accept(",")
    blocks: list[tuple[int, int]] = []
    if words.accept("["):
        while not words.accept("]"):
            if not words.accept(","):
                blocks.append(_read_block(words))
    words.expect("]")
    return (PrefixSid.of_label(index, blocks),)


def _read_block(words: Words) -> tuple[int, int]:
    """Read `( BASE,RANGE )`."""
    words.expect("(")
    base = read(words, "base", number("SRGB base", MAXIMUM_24))
    words.accept(",")
    size = read(words, "range", number("SRGB range", MAXIMUM_24))
    words.expect(")")
    return base, size


def read_srv6_service(words: Words) -> tuple[Attribute, ...]:
    """Read `( l3-service SID [BEHAVIOR [LBL,LNL,FL,AL,TL,TO]] )`."""
    words.expect("(")
    kind = read(words, "l3-service or l2-service", _service)
    sid = read(words, "SRv6 SID", ipv6_value)
    behavior = ANY_BEHAVIOR
    structure = None
    if words.peek() not in (")", "["):
        behavior = read(words, "endpoint behavior", any_number("endpoint behavior", 0xFFFF))
    if words.accept("["):
        structure = _read_structure(words)
    words.expect(")")
    return (PrefixSid.of_service(kind, (Srv6Sid(sid, behavior, structure=structure),)),)


def _service(text: str) -> int:
    """Convert the name of a service; the names of older releases all mean layer 3."""
    name = OLD_SERVICES.get(text, text)
    if name not in SERVICES:
        raise ValueError(unknown_word(text, SERVICES, "SRv6 service"))
    return SERVICES[name]


def _read_structure(words: Words) -> SidStructure:
    """Read what follows `[`: six lengths in bits (RFC 9252 section 3.2.1)."""
    lengths: list[int] = []
    while not words.accept("]"):
        if not words.accept(","):
            lengths.append(read(words, "length in bits", number("SID structure length", 128)))
    if len(lengths) != 6:
        raise words.wrong(f"a SID structure has 6 lengths, not {len(lengths)}")
    return SidStructure(*lengths)
