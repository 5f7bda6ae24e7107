"""Flow specifications as NLRI (RFC 8955 section 4, RFC 8956, and section 8 of the former for VPNs)."""

from __future__ import annotations

from typing import Self

from bgp.family import AFI, IPV4_FLOW, IPV4_FLOW_VPN, IPV6_FLOW, IPV6_FLOW_VPN, SAFI, Family
from bgp.nlri.distinguisher import RD_OCTETS, check_rd
from bgp.nlri.flow_component import Component, FlowKind, PrefixComponent, decode_component
from bgp.nlri.registry import NLRI, register
from bgp.wire import Reader, Truncated

LONG_LENGTH = 0xF0  # from 240 octets on, the length takes two octets: 0xF and 12 bits
LONGEST = 0xFFF


def length_octets(first: int) -> int:
    """Return how many octets the length field has, from its first."""
    return 2 if first >= LONG_LENGTH else 1


@register(IPV4_FLOW, IPV6_FLOW, IPV4_FLOW_VPN, IPV6_FLOW_VPN)
class Flow(NLRI, frozen=True, kw_only=True):
    """A flow specification: components in ascending order of type, which must all match.

    `rd` is there in the VPN families and only there.
    """

    components: tuple[Component, ...]
    rd: bytes | None = None

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        if (self.rd is not None) != (self.family.safi == SAFI.FLOW_VPN):
            raise ValueError(f"{self.family} with {'no' if self.rd is None else 'a'} route distinguisher")
        if self.rd is not None:
            check_rd(self.rd)
        self._check_components()
        size = len(self._value())
        if size > LONGEST:
            raise ValueError(f"{self.family} of {size} octets is longer than {LONGEST}")

    def _check_components(self) -> None:
        ipv6 = self.family.afi == AFI.IPV6
        if not self.components:
            raise ValueError(f"{self.family} has at least one component, not none")
        previous = 0
        for component in self.components:
            if component.kind <= previous:
                raise ValueError(
                    f"{self.family} component {component.kind} after {previous}: types must ascend, each once"
                )
            previous = component.kind
            if isinstance(component, PrefixComponent) and component.ipv6 != ipv6:
                raise ValueError(f"{self.family} with a prefix of {len(component.address)} octets")
        if previous == FlowKind.FLOW_LABEL and not ipv6:
            raise ValueError(f"{self.family} has no component {previous} (flow label)")

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the NLRI, its length field of 1 or 2 octets included."""
        size = data[offset]
        if length_octets(size) == 1:
            return 1 + size
        if len(data) < offset + 2:
            raise Truncated(f"{family} NLRI: 2 octets of length expected, 1 left")
        return 2 + ((size & 0x0F) << 8 | data[offset + 1])

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> Self:
        """Read route distinguisher and components; raises ValueError (treat-as-withdraw, RFC 8955 section 10)."""
        reader = Reader(data[length_octets(data[0]) :])
        rd = reader.take(RD_OCTETS) if family.safi == SAFI.FLOW_VPN else None
        components = []
        while len(reader):
            components.append(decode_component(family.afi == AFI.IPV6, reader))
        return cls(family=family, path_id=path_id, rd=rd, components=tuple(components))

    def _value(self) -> bytes:
        return (self.rd or b"") + b"".join(component.encode() for component in self.components)

    def encode(self) -> bytes:
        """Return length, route distinguisher and components."""
        value = self._value()
        size = len(value)
        if size < LONG_LENGTH:
            return bytes((size,)) + value
        return (LONG_LENGTH << 8 | size).to_bytes(2, "big") + value
