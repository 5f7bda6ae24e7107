"""The BGP-LS attribute, code 29 (RFC 9552 section 5.3)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.link_state_tlvs import check, pairs_of
from bgp.attribute.registry import OPTIONAL_NON_TRANSITIVE, Attribute, register
from bgp.errors import AttributeDiscard
from bgp.negotiated import Negotiated
from bgp.nlri.link_state_tlv import Pair, Tlv, read_tlvs, write_tlvs


@register("BGP-LS", AttributeDiscard, wrong_flags=AttributeDiscard)
class LinkState(Attribute, frozen=True):
    """Properties of a node, link or prefix: TLVs as they came; `as_pairs` says what they mean."""

    CODE: ClassVar[int] = 29
    FLAGS: ClassVar[int] = OPTIONAL_NON_TRANSITIVE

    tlvs: tuple[Tlv, ...]

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read TLVs; a malformed one discards the attribute (RFC 9552 section 8.2.2). Unknown ones are kept."""
        try:
            tlvs = read_tlvs(data)
            check(tlvs)
        except ValueError as error:
            raise cls.malformed(str(error)) from error
        return cls(tlvs)

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return the TLVs."""
        return write_tlvs(self.tlvs)

    def get(self, kind: int) -> bytes | None:
        """Return the value of the first TLV of that type."""
        return next((value for number, value in self.tlvs if number == kind), None)

    def as_pairs(self) -> list[Pair]:
        """Return names and values as events show them, in the order of the TLVs; a name may occur twice."""
        return pairs_of(self.tlvs)
