"""NLRI that begin with route type and length in an octet each: EVPN (RFC 7432 section 7), MVPN (RFC 6514 section 4)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.family import Family
from bgp.nlri.registry import KINDS, NLRI, KindNLRI
from bgp.wire import Reader


class TypedNLRI(KindNLRI, frozen=True, kw_only=True):
    """The frame. All octets identify the route, unless a family says otherwise."""

    HEADER: ClassVar[int] = 2

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the route, type and length included."""
        return 2 + data[offset + 1]

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> KindNLRI:
        """Read one route; types that nobody knows come out opaque. Raises ValueError."""
        kind = data[0]
        return KINDS.get((family, kind), OpaqueTyped).decode_body(family, kind, data[2:], path_id)


class OpaqueTyped(TypedNLRI, frozen=True, kw_only=True):
    """A route of a type that nobody here can read: `data` is what follows type and length."""

    kind: int
    data: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        if not 0 <= self.kind <= 255:
            raise ValueError(f"{self.family} route type {self.kind} is not within 0..255")
        if len(self.data) > 255:
            raise ValueError(f"a route of {self.family} has at most 255 octets, not {len(self.data)}")

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Keep the octets."""
        return cls(family=family, path_id=path_id, kind=kind, data=body)

    def encode(self) -> bytes:
        """Return type, length, octets."""
        return framed(self.kind, self.data)


def framed(kind: int, body: bytes) -> bytes:
    """Return type, length and body of a route."""
    return bytes((kind, len(body))) + body


def check_address(name: str, address: bytes) -> None:
    """Raise ValueError unless the address is packed IPv4 or IPv6."""
    if len(address) not in (4, 16):
        raise ValueError(f"{name} has 4 or 16 octets, not {len(address)}")


def read_sized_address(reader: Reader) -> bytes:
    """Read an address behind its length in bits, 32 or 128; raises ValueError."""
    bits = reader.u8()
    if bits not in (32, 128):
        raise ValueError(f"address length is 32 or 128 bits, not {bits}")
    return reader.take(bits // 8)


def sized_address(address: bytes) -> bytes:
    """Return an address behind its length in bits."""
    return bytes((len(address) * 8,)) + address
