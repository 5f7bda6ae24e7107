"""The path attributes of one UPDATE, or of one route, as a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bgp.attribute.registry import Attribute


class AttributeSet:
    """Attributes by code, together with the octets that they were read from.

    `octets` are the path attributes as received, without MP_REACH_NLRI and MP_UNREACH_NLRI. Within one session,
    equal octets mean equal attributes. Iteration is in the order of the codes.
    """

    __slots__ = ("_attributes", "octets")

    def __init__(self, octets: bytes, attributes: Mapping[int, Attribute]) -> None:
        self.octets = octets
        codes = list(attributes)
        ordered = codes == sorted(codes)  # as senders should order them: then a copy would be the same
        self._attributes = attributes if ordered else {code: attributes[code] for code in sorted(codes)}

    def get(self, code: int) -> Attribute | None:
        """Return the attribute with this code."""
        return self._attributes.get(code)

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._attributes.values())

    def __len__(self) -> int:
        return len(self._attributes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AttributeSet):
            return NotImplemented
        return self.octets == other.octets and self._attributes == other._attributes

    def __hash__(self) -> int:
        return hash(self.octets)

    def __repr__(self) -> str:
        return f"AttributeSet({', '.join(map(repr, self))})"


NO_ATTRIBUTES = AttributeSet(b"", {})
