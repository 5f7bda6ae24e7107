"""VPN prefixes: label stack, route distinguisher, prefix (RFC 4364 section 4.3, RFC 4659, RFC 8277)."""

from __future__ import annotations

from typing import Self

from bgp.family import IPV4_MPLS_VPN, IPV6_MPLS_VPN, Family
from bgp.nlri.distinguisher import RD_OCTETS, check_rd
from bgp.nlri.labelled import (
    LABEL_BITS,
    check_labels,
    check_total,
    key_without_labels,
    labels_of,
    split_labelled,
    split_withdrawn_labelled,
    stack_end,
    stack_of,
)
from bgp.nlri.prefix import check_prefix, octets_of, read_address
from bgp.nlri.registry import NLRI, register

RD_BITS = RD_OCTETS * 8


@register(IPV4_MPLS_VPN, IPV6_MPLS_VPN)
class VpnPrefix(NLRI, frozen=True, kw_only=True):
    """A prefix in a VPN. `labels` are raw 24-bit words, `length` counts the prefix's bits alone."""

    labels: tuple[int, ...]
    rd: bytes
    length: int
    address: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_labels(self.labels)
        check_rd(self.rd)
        check_prefix(self.family, self.address, self.length)
        check_total(self.family, self._bits())

    def _bits(self) -> int:
        return len(self.labels) * LABEL_BITS + RD_BITS + self.length

    @classmethod
    def split(cls, family: Family, data: bytes, add_path: bool) -> list[bytes]:
        """Cut an NLRI field into items; raises ValueError on damage."""
        return split_labelled(family, data, add_path, RD_BITS)

    @classmethod
    def split_withdrawn(cls, family: Family, data: bytes, add_path: bool) -> list[bytes]:
        """Cut a field of withdrawn routes into items, whatever their labels; raises ValueError on damage."""
        return split_withdrawn_labelled(family, data, add_path, RD_BITS)

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the NLRI, its length octet included."""
        return 1 + octets_of(data[offset])

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> Self:
        """Read length, labels, route distinguisher and prefix; raises ValueError."""
        end = stack_end(data, 1)
        length = data[0] - (end - 1) * 8 - RD_BITS
        return cls(
            family=family,
            path_id=path_id,
            labels=labels_of(data[1:end]),
            rd=data[end : end + RD_OCTETS],
            length=length,
            address=read_address(family, data[end + RD_OCTETS :], length),
        )

    def encode(self) -> bytes:
        """Return length, labels, route distinguisher and prefix."""
        prefix = self.address[: octets_of(self.length)]
        return bytes((self._bits(),)) + stack_of(self.labels) + self.rd + prefix

    @classmethod
    def route_key(cls, family: Family, item: bytes) -> bytes:
        """Return path identifier, length, route distinguisher and prefix."""
        return key_without_labels(item)
