"""PMSI_TUNNEL (RFC 6514 section 5, with the tunnel types of RFC 7524, 8317, 8556 and 9574)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.registry import OPTIONAL_TRANSITIVE, Attribute, register
from bgp.negotiated import Negotiated

HEADER_OCTETS = 5
LABEL_OCTETS = 3
COMPOSITE = 0x80  # RFC 8317 section 6.2: this bit beside the type, and a label in front of the identifier
NEVER_COMPOSITE = (0, 6)  # nor may the bit stand beside these

# Tunnel type → legal lengths of its identifier in octets. Multipoint LDP (2 and 7) has an element of any length.
IDENTIFIER_OCTETS: dict[int, tuple[int, ...]] = {
    0: (0,),  # no tunnel information
    1: (12, 24),  # RSVP-TE P2MP: session object
    3: (8, 32),  # PIM-SSM: source, group
    4: (8, 32),  # PIM-SM
    5: (8, 32),  # BIDIR-PIM
    6: (4, 16),  # ingress replication
    8: (8, 20),  # transport tunnel: source PE, local number
    10: (4, 16),  # assisted replication
    11: (7, 19),  # BIER: sub-domain, BFR id, prefix
    12: (8, 20),  # SR-MPLS P2MP tree: tree id, root
    13: (8, 20),  # SRv6 P2MP tree
}
MULTIPOINT_LDP = (2, 7)
EXPERIMENTAL = range(0x7B, 0x7F)


@register("PMSI_TUNNEL")
class PmsiTunnel(Attribute, frozen=True):
    """The tunnel that carries multicast or unknown traffic; `label` is all 24 bits of the field."""

    CODE: ClassVar[int] = 22
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    flags: int
    kind: int
    label: int
    tunnel: bytes

    def __post_init__(self) -> None:
        if not (0 <= self.flags <= 0xFF and 0 <= self.kind <= 0xFF and 0 <= self.label <= 0xFFFFFF):
            raise ValueError("PMSI_TUNNEL flags and type have 8 bits, the label field has 24")

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read flags, type, label and an identifier; an undefined type is malformed (RFC 6514 section 5)."""
        if len(data) < HEADER_OCTETS:
            raise cls.malformed(f"length {len(data)} is less than {HEADER_OCTETS}")
        kind, octets = data[1] & ~COMPOSITE, len(data) - HEADER_OCTETS
        if data[1] & COMPOSITE:
            octets -= LABEL_OCTETS
            if kind in NEVER_COMPOSITE:
                raise cls.malformed(f"tunnel type {kind} cannot be composite")
            if octets < 0:
                raise cls.malformed("composite tunnel has no label")
        if kind in IDENTIFIER_OCTETS:
            if octets not in IDENTIFIER_OCTETS[kind]:
                wanted = " or ".join(map(str, IDENTIFIER_OCTETS[kind]))
                raise cls.malformed(f"identifier of tunnel type {kind} has {octets} octets, not {wanted}")
        elif kind not in MULTIPOINT_LDP and kind not in EXPERIMENTAL:
            raise cls.malformed(f"tunnel type {data[1]} is undefined")
        return cls(data[0], data[1], int.from_bytes(data[2:5], "big"), data[5:])

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return flags, type, label and identifier."""
        return bytes((self.flags, self.kind)) + self.label.to_bytes(3, "big") + self.tunnel
