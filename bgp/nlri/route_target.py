"""Route target membership (RFC 4684 section 4): which VPN routes a peer wants."""

from __future__ import annotations

from typing import Self

from bgp.family import IPV4_RTC, Family
from bgp.nlri.prefix import clear_host_bits, octets_of, split_prefixes
from bgp.nlri.registry import NLRI, PATH_ID_OCTETS, register

ORIGIN_BITS = 32
LONGEST = 96  # bits: origin AS and a whole route target


def check_length(length: int) -> None:
    """Raise ValueError unless the length is 0 (the default route target) or 32..96 bits."""
    if length != 0 and not ORIGIN_BITS <= length <= LONGEST:
        raise ValueError(f"route target length {length} is neither 0 nor within {ORIGIN_BITS}..{LONGEST} bits")


@register(IPV4_RTC)
class RouteTarget(NLRI, frozen=True, kw_only=True):
    """A prefix of (origin AS, route target).

    `length` is in bits; `target` has only the octets that it reaches: 8 for a whole route target, none for
    length 32 (all targets of the origin) and for length 0 (all targets of all).
    """

    origin: int
    target: bytes
    length: int

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_length(self.length)
        if not 0 <= self.origin < 1 << ORIGIN_BITS:
            raise ValueError(f"origin AS {self.origin} does not fit {ORIGIN_BITS} bits")
        if self.length == 0 and self.origin:
            raise ValueError(f"the default route target has origin AS 0, not {self.origin}")
        bits = max(0, self.length - ORIGIN_BITS)
        if len(self.target) != octets_of(bits):
            raise ValueError(f"route target of {bits} bits has {octets_of(bits)} octets, not {len(self.target)}")
        if clear_host_bits(self.target, bits) != self.target:
            raise ValueError(f"route target {self.target.hex()} has bits set beyond its {bits} bits")

    @classmethod
    def split(cls, family: Family, data: bytes, add_path: bool) -> list[bytes]:
        """Cut an NLRI field into items; raises ValueError on damage."""
        items = split_prefixes(family, data, add_path, LONGEST)
        for item in items:
            check_length(item[PATH_ID_OCTETS])
        return items

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the NLRI, its length octet included."""
        return 1 + octets_of(data[offset])

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> Self:
        """Read length, origin AS and route target; raises ValueError."""
        length = data[0]
        check_length(length)
        octets = clear_host_bits(data[1:], length)
        return cls(
            family=family,
            path_id=path_id,
            origin=int.from_bytes(octets[:4], "big"),
            target=octets[4:],
            length=length,
        )

    def encode(self) -> bytes:
        """Return length, origin AS and route target, as far as the length goes."""
        if not self.length:
            return b"\0"
        return bytes((self.length,)) + self.origin.to_bytes(4, "big") + self.target
