"""Route target membership (RFC 4684): `rtc ORIGIN-AS [TARGET]`, `rtc default`."""

from __future__ import annotations

from apid.grammar.draft import Draft, read_headed
from apid.grammar.extended_community import extended_community_value
from apid.grammar.values import asn_value, read
from apid.grammar.words import Words
from bgp.family import IPV4_RTC, Family
from bgp.nlri import RouteTarget

ORIGIN_BITS, TARGET_BITS = 32, 96


def read_route_target(words: Words, draft: Draft) -> tuple[Family, tuple[bytes, ...]]:
    """Read what follows `rtc`; without target it is every target of the origin. The next hop may be missing."""
    origin, target, length = read_headed(words, draft, lambda: _target(words))
    if draft.next_hop is None:
        draft.next_hop = b""
    nlri = RouteTarget(family=IPV4_RTC, path_id=draft.path_id, origin=origin, target=target, length=length)
    return IPV4_RTC, (nlri.item(),)


def _target(words: Words) -> tuple[int, bytes, int]:
    """Read the origin AS and the target; return both, and the length in bits."""
    if words.accept("default"):
        return 0, b"", 0
    origin = read(words, "AS number or 'default'", asn_value)
    if ":" in words.peek() or words.peek()[:2] == "0x":
        return origin, read(words, "route target", extended_community_value), TARGET_BITS
    return origin, b"", ORIGIN_BITS
