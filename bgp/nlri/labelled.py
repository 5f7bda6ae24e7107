"""Prefixes with MPLS labels (RFC 8277), and the label stack that VPN routes share with them."""

from __future__ import annotations

from typing import Self

from bgp.family import IPV4_NLRI_MPLS, IPV6_NLRI_MPLS, Family
from bgp.nlri.prefix import address_bits, check_prefix, octets_of, read_address, split_prefixes
from bgp.nlri.registry import NLRI, PATH_ID_OCTETS, register
from bgp.wire import Truncated

LABEL_OCTETS = 3
LABEL_BITS = 24
LONGEST_NLRI = 255  # bits: the length field is one octet

BOTTOM_OF_STACK = 0x000001
WITHDRAWN_LABEL = 0x800000  # RFC 8277 section 2.4: the "compatibility" field of a withdrawn route
OLD_WITHDRAWN_LABEL = 0x000000  # what implementations of RFC 3107 send in its place
WITHDRAWN_LABELS = (WITHDRAWN_LABEL, OLD_WITHDRAWN_LABEL)

_STACK_START = PATH_ID_OCTETS + 1
_WITHDRAWN = tuple(label.to_bytes(LABEL_OCTETS, "big") for label in WITHDRAWN_LABELS)


def stack_end(data: bytes, start: int) -> int:
    """Return where the label stack that begins at `start` ends.

    It ends with the bottom-of-stack bit; a withdrawn route may have a single label without it. Raises
    Truncated when the data ends first.
    """
    size = len(data)
    stop = start + LABEL_OCTETS
    if data[start:stop] in _WITHDRAWN:
        return stop
    while stop <= size:
        if data[stop - 1] & BOTTOM_OF_STACK:
            return stop
        stop += LABEL_OCTETS
    raise Truncated(f"label stack {data[start:].hex()} has no bottom of stack")


def labels_of(stack: bytes) -> tuple[int, ...]:
    """Return the labels of a stack as raw 24-bit words: label, traffic class, bottom-of-stack bit."""
    return tuple(
        int.from_bytes(stack[start : start + LABEL_OCTETS], "big") for start in range(0, len(stack), LABEL_OCTETS)
    )


def stack_of(labels: tuple[int, ...]) -> bytes:
    """Return the octets of a label stack."""
    return b"".join(label.to_bytes(LABEL_OCTETS, "big") for label in labels)


def check_labels(labels: tuple[int, ...]) -> None:
    """Raise ValueError unless the raw words are a label stack that a receiver can find the end of."""
    if not labels:
        raise ValueError("a label stack has at least one label, not none")
    for label in labels:
        if not 0 <= label < 1 << LABEL_BITS:
            raise ValueError(f"label word {label:#x} does not fit {LABEL_BITS} bits")
    stack = stack_of(labels)
    if stack_end(stack, 0) != len(stack):
        raise ValueError(f"label stack {stack.hex()} goes on after its bottom")


def prefix_length(item: bytes, rd_bits: int) -> int:
    """Return the bits that an item's length leaves for the prefix, after labels and route distinguisher."""
    return item[PATH_ID_OCTETS] - (stack_end(item, _STACK_START) - _STACK_START) * 8 - rd_bits


def split_labelled(family: Family, data: bytes, add_path: bool, rd_bits: int) -> list[bytes]:
    """Cut a field of (length, labels, route distinguisher if any, prefix) into items.

    Where no label stack can be made out there is one label, whose S bit is to be ignored (RFC 8277 section
    2.2): the item has it as it should have been sent. Raises ValueError where the prefix that is left is too
    short or long.
    """
    maximum = address_bits(family)
    items = split_prefixes(family, data, add_path, LONGEST_NLRI)
    for index, item in enumerate(items):
        if not _has_stack(item, rd_bits, maximum):
            _check_one_label(family, item, rd_bits, maximum)
            items[index] = _replace_label(item, with_bottom_of_stack(_first_label(item)))
    return items


def split_withdrawn_labelled(family: Family, data: bytes, add_path: bool, rd_bits: int) -> list[bytes]:
    """Cut a field of withdrawn routes into items.

    The first 3 octets are the compatibility field, whose value is to be ignored (RFC 8277 section 2.4): where
    they look like a label that is not the last of a stack, the item has it as the last. Speakers that repeat a
    stack of labels are understood where one label would leave too long a prefix.
    """
    maximum = address_bits(family)
    items = split_prefixes(family, data, add_path, LONGEST_NLRI)
    for index, item in enumerate(items):
        if item[PATH_ID_OCTETS] - LABEL_BITS - rd_bits > maximum and _has_stack(item, rd_bits, maximum):
            continue
        _check_one_label(family, item, rd_bits, maximum)
        items[index] = _one_label(item)
    return items


def as_withdrawn(item: bytes) -> bytes:
    """Return an item as it is withdrawn: with the compatibility field for a stack of labels (RFC 8277 section 2.4).

    A single label stays, as ExaBGP sends it; so does an item that cannot be read.
    """
    try:
        end = stack_end(item, _STACK_START)
    except Truncated:
        return item
    bits = item[PATH_ID_OCTETS] - (end - _STACK_START) * 8
    if bits < 0 or end == _STACK_START + LABEL_OCTETS:
        return item
    return item[:PATH_ID_OCTETS] + bytes((bits + LABEL_BITS,)) + _WITHDRAWN[0] + item[end:]


def with_bottom_of_stack(label: bytes) -> bytes:
    """Set the bottom-of-stack bit of a label."""
    return label[:-1] + bytes((label[-1] | BOTTOM_OF_STACK,))


def _has_stack(item: bytes, rd_bits: int, maximum: int) -> bool:
    """Tell whether the item begins with a stack of labels that leaves a prefix of a legal length."""
    try:
        return 0 <= prefix_length(item, rd_bits) <= maximum
    except Truncated:  # no bottom of stack
        return False


def _check_one_label(family: Family, item: bytes, rd_bits: int, maximum: int) -> None:
    """Raise ValueError unless one label leaves a prefix of a legal length."""
    length = item[PATH_ID_OCTETS] - LABEL_BITS - rd_bits
    if not 0 <= length <= maximum:
        raise ValueError(f"{family} prefix length {length} is not within 0..{maximum} after one label")


def _first_label(item: bytes) -> bytes:
    return item[_STACK_START : _STACK_START + LABEL_OCTETS]


def _replace_label(item: bytes, label: bytes) -> bytes:
    return item[:_STACK_START] + label + item[_STACK_START + LABEL_OCTETS :]


def _one_label(item: bytes) -> bytes:
    """Make of the first label one that ends its stack; the usual values of a withdrawn route stay as they are."""
    label = _first_label(item)
    return item if label in _WITHDRAWN else _replace_label(item, with_bottom_of_stack(label))


def key_without_labels(item: bytes) -> bytes:
    """Return an item as if it had no labels: they may change without it being another route."""
    end = stack_end(item, _STACK_START)
    bits = item[PATH_ID_OCTETS] - (end - _STACK_START) * 8
    if bits < 0:
        raise ValueError(f"NLRI length {item[PATH_ID_OCTETS]} is less than its labels' bits")
    return item[:PATH_ID_OCTETS] + bytes((bits,)) + item[end:]


def check_total(family: Family, bits: int) -> None:
    """Raise ValueError unless labels, route distinguisher and prefix fit the one-octet length."""
    if bits > LONGEST_NLRI:
        raise ValueError(f"{family} NLRI of {bits} bits is longer than {LONGEST_NLRI}: too many labels")


@register(IPV4_NLRI_MPLS, IPV6_NLRI_MPLS)
class LabelledPrefix(NLRI, frozen=True, kw_only=True):
    """A prefix with its label stack: `labels` are raw 24-bit words, the last with bottom-of-stack set."""

    labels: tuple[int, ...]
    length: int
    address: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_labels(self.labels)
        check_prefix(self.family, self.address, self.length)
        check_total(self.family, self._bits())

    def _bits(self) -> int:
        return len(self.labels) * LABEL_BITS + self.length

    @classmethod
    def split(cls, family: Family, data: bytes, add_path: bool) -> list[bytes]:
        """Cut an NLRI field into items; raises ValueError on damage."""
        return split_labelled(family, data, add_path, rd_bits=0)

    @classmethod
    def split_withdrawn(cls, family: Family, data: bytes, add_path: bool) -> list[bytes]:
        """Cut a field of withdrawn routes into items, whatever their labels; raises ValueError on damage."""
        return split_withdrawn_labelled(family, data, add_path, rd_bits=0)

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the NLRI, its length octet included."""
        return 1 + octets_of(data[offset])

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> Self:
        """Read length, labels and prefix (RFC 8277 section 2.2); raises ValueError."""
        end = stack_end(data, 1)
        length = data[0] - (end - 1) * 8
        return cls(
            family=family,
            path_id=path_id,
            labels=labels_of(data[1:end]),
            length=length,
            address=read_address(family, data[end:], length),
        )

    def encode(self) -> bytes:
        """Return length, labels and prefix."""
        prefix = self.address[: octets_of(self.length)]
        return bytes((self._bits(),)) + stack_of(self.labels) + prefix

    @classmethod
    def route_key(cls, family: Family, item: bytes) -> bytes:
        """Return path identifier, prefix length and prefix."""
        return key_without_labels(item)
