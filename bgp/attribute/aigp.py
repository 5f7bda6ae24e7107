"""AIGP, the accumulated IGP metric (RFC 7311)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.registry import OPTIONAL_NON_TRANSITIVE, Attribute, register
from bgp.errors import AttributeDiscard
from bgp.negotiated import Negotiated
from bgp.wire import Reader, Truncated

METRIC_TLV = 1
TLV_HEADER_OCTETS = 3
METRIC_OCTETS = 8
LARGEST_METRIC = (METRIC_TLV, b"\xff" * METRIC_OCTETS)  # RFC 7311 section 3.2: malformed


def in_aigp_sessions(negotiated: Negotiated) -> bool:
    """Accept AIGP from internal peers and where it was configured (RFC 7311 section 3.2)."""
    return negotiated.ibgp or negotiated.aigp


# A transitive AIGP is malformed and discarded (section 3), unlike other attributes with wrong flags.
@register("AIGP", AttributeDiscard, wrong_flags=AttributeDiscard, accepted=in_aigp_sessions)
class Aigp(Attribute, frozen=True):
    """TLVs of which the first of type 1 carries the metric; the others are carried along."""

    CODE: ClassVar[int] = 26
    FLAGS: ClassVar[int] = OPTIONAL_NON_TRANSITIVE

    tlvs: tuple[tuple[int, bytes], ...]

    def __post_init__(self) -> None:
        if self.metric is None:
            raise ValueError("AIGP has no TLV of type 1 with 8 octets of metric")

    @property
    def metric(self) -> int | None:
        """The metric of the first TLV of type 1."""
        for kind, value in self.tlvs:
            if kind == METRIC_TLV:
                return int.from_bytes(value, "big") if len(value) == METRIC_OCTETS else None
        return None

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read TLVs whose length counts their header; without a metric the attribute is useless."""
        reader = Reader(data)
        tlvs = []
        try:
            while len(reader):
                kind, length = reader.u8(), reader.u16()
                if length < TLV_HEADER_OCTETS:
                    raise cls.malformed(f"TLV length {length} is less than 3")
                if kind == METRIC_TLV and length != TLV_HEADER_OCTETS + METRIC_OCTETS:
                    raise cls.malformed(f"TLV of type 1 has length {length}, not 11")
                tlvs.append((kind, reader.take(length - TLV_HEADER_OCTETS)))
        except Truncated as error:
            raise cls.malformed(str(error)) from error
        metric = next((tlv for tlv in tlvs if tlv[0] == METRIC_TLV), None)  # only the first counts
        if metric is None:
            raise cls.malformed("has no TLV of type 1")
        if metric == LARGEST_METRIC:
            raise cls.malformed("the metric is the largest that there is")
        return cls(tuple(tlvs))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return the TLVs."""
        return b"".join(
            bytes((kind,)) + (TLV_HEADER_OCTETS + len(value)).to_bytes(2, "big") + value for kind, value in self.tlvs
        )
