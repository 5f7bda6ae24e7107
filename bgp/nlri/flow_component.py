"""What a flow specification is made of: components and their terms (RFC 8955 section 4.2, RFC 8956 section 3)."""

from __future__ import annotations

from msgspec import Struct

from bgp.nlri.prefix import clear_host_bits, octets_of
from bgp.wire import Reader

END_OF_LIST = 0x80
AND = 0x40
LENGTH_SHIFT = 4  # the two bits below `AND` hold the exponent of the value's length: 1, 2, 4, 8 octets
LENGTH_MASK = 0x30
NUMERIC_OPERATOR = AND | 0x07  # and, less than, greater than, equal
BITMASK_OPERATOR = AND | 0x03  # and, not, match


class FlowKind:
    """Component types (IANA, flow spec component types)."""

    DESTINATION = 1
    SOURCE = 2
    PROTOCOL = 3
    PORT = 4
    DESTINATION_PORT = 5
    SOURCE_PORT = 6
    ICMP_TYPE = 7
    ICMP_CODE = 8
    TCP_FLAGS = 9
    PACKET_LENGTH = 10
    DSCP = 11
    FRAGMENT = 12
    FLOW_LABEL = 13  # IPv6 alone


PREFIX_KINDS = (FlowKind.DESTINATION, FlowKind.SOURCE)
BITMASK_KINDS = (FlowKind.TCP_FLAGS, FlowKind.FRAGMENT)

# Octets that a value has at most: where RFC 8955 sections 4.2.2.9, 4.2.2.11 and 4.2.2.12 say MUST, and of any type.
LONGEST_VALUE = 8
LONGEST_VALUES = {FlowKind.TCP_FLAGS: 2, FlowKind.DSCP: 1, FlowKind.FRAGMENT: 1}


def operator_mask(kind: int) -> int:
    """Return the bits of an operator octet that mean something beside end of list and length."""
    return BITMASK_OPERATOR if kind in BITMASK_KINDS else NUMERIC_OPERATOR


class PrefixComponent(Struct, frozen=True):
    """A destination or source prefix.

    `address` is packed, 4 or 16 octets. Its bits from `offset` up to `length` count, the rest are zero.
    `offset` is always 0 with IPv4.
    """

    kind: int
    length: int
    offset: int
    address: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if self.kind not in PREFIX_KINDS:
            raise ValueError(f"flow component {self.kind} is not a prefix, which is {PREFIX_KINDS}")
        if len(self.address) not in (4, 16):
            raise ValueError(f"an address has 4 or 16 octets, not {len(self.address)}")
        check_range(self.length, self.offset, len(self.address) * 8)
        pattern = int.from_bytes(self.address, "big")
        if pattern != pattern & pattern_mask(self.length, self.offset, len(self.address) * 8):
            raise ValueError(f"flow prefix {self.address.hex()} has bits set outside {self.offset}..{self.length}")

    @property
    def ipv6(self) -> bool:
        """Whether the prefix is written with an offset."""
        return len(self.address) == 16

    @classmethod
    def decode(cls, kind: int, ipv6: bool, reader: Reader) -> PrefixComponent:
        """Read length, offset with IPv6, and pattern; raises ValueError."""
        length = reader.u8()
        offset = reader.u8() if ipv6 else 0
        bits = 128 if ipv6 else 32
        check_range(length, offset, bits)
        octets = reader.take(octets_of(length - offset))
        pattern = int.from_bytes(clear_host_bits(octets, length - offset), "big")
        # The pattern begins at the offset's bit, wherever in an octet that is (RFC 8956 section 3.1).
        shift = bits - offset - len(octets) * 8
        address = pattern << shift if shift >= 0 else pattern >> -shift
        return cls(kind, length, offset, address.to_bytes(bits // 8, "big"))

    def encode(self) -> bytes:
        """Return type, length, offset with IPv6, and pattern."""
        if not self.ipv6:
            return bytes((self.kind, self.length)) + self.address[: octets_of(self.length)]
        width = self.length - self.offset
        pattern = int.from_bytes(self.address, "big") >> (128 - self.length) << (-width % 8)
        return bytes((self.kind, self.length, self.offset)) + pattern.to_bytes(octets_of(width), "big")


def check_range(length: int, offset: int, bits: int) -> None:
    """Raise ValueError unless offset < length <= bits, or both are 0 (RFC 8956 section 3.1)."""
    if not 0 <= length <= bits:
        raise ValueError(f"flow prefix length {length} is not within 0..{bits}")
    if offset and (bits == 32 or not 0 < offset < length):
        expected = "0" if bits == 32 else f"within 0..{max(0, length - 1)}"
        raise ValueError(f"flow prefix offset {offset} is not {expected}")


def pattern_mask(length: int, offset: int, bits: int) -> int:
    """Return the address bits that count, as a number."""
    return ((1 << (length - offset)) - 1) << (bits - length)


class Term(Struct, frozen=True):
    """One comparison: the operator octet without end-of-list and length bits, and the value."""

    operator: int
    value: int


class OperatorComponent(Struct, frozen=True):
    """A list of comparisons, which are joined by OR unless a term has the `AND` bit."""

    kind: int
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if not FlowKind.PROTOCOL <= self.kind <= FlowKind.FLOW_LABEL:
            raise ValueError(f"flow component type {self.kind} is not within 3..13")
        if not self.terms:
            raise ValueError(f"flow component {self.kind} has at least one term, not none")
        if self.terms[0].operator & AND:
            raise ValueError(f"the first term of flow component {self.kind} has nothing to be ANDed with")
        mask = operator_mask(self.kind)
        longest = LONGEST_VALUES.get(self.kind, LONGEST_VALUE)
        for term in self.terms:
            if not 0 <= term.operator <= mask or term.operator & ~mask:
                raise ValueError(f"flow component {self.kind} operator {term.operator:#x} is not within {mask:#x}")
            if not 0 <= term.value < 1 << longest * 8:
                raise ValueError(f"flow component {self.kind} value {term.value} does not fit {longest * 8} bits")

    @classmethod
    def decode(cls, kind: int, reader: Reader) -> OperatorComponent:
        """Read terms up to the end-of-list bit; raises ValueError.

        Reserved bits and the first term's AND bit are ignored (RFC 8955 sections 4.2.1.1 and 4.2.1.2).
        """
        mask = operator_mask(kind)
        terms: list[Term] = []
        last = False
        while not last:
            octet = reader.u8()
            last = bool(octet & END_OF_LIST)
            size = 1 << ((octet & LENGTH_MASK) >> LENGTH_SHIFT)
            longest = LONGEST_VALUES.get(kind, LONGEST_VALUE)
            if size > longest:
                raise ValueError(f"flow component {kind} has values of at most {longest} octets, not {size}")
            value = int.from_bytes(reader.take(size), "big")
            operator = octet & mask if terms else octet & mask & ~AND
            terms.append(Term(operator, value))
        return cls(kind, tuple(terms))

    def encode(self) -> bytes:
        """Return type and terms, each value in the fewest octets that hold it."""
        octets = bytearray((self.kind,))
        for term in self.terms[:-1]:
            octets += encode_term(term, 0)
        return bytes(octets + encode_term(self.terms[-1], END_OF_LIST))


def encode_term(term: Term, end_of_list: int) -> bytes:
    """Return operator octet and value, in 1, 2, 4 or 8 octets."""
    value = term.value
    exponent = 0 if value < 1 << 8 else 1 if value < 1 << 16 else 2 if value < 1 << 32 else 3
    operator = term.operator | end_of_list | exponent << LENGTH_SHIFT
    return bytes((operator,)) + value.to_bytes(1 << exponent, "big")


Component = PrefixComponent | OperatorComponent


def decode_component(ipv6: bool, reader: Reader) -> Component:
    """Read one component; raises ValueError, for unknown types too, which nobody can find the end of."""
    kind = reader.u8()
    if kind in PREFIX_KINDS:
        return PrefixComponent.decode(kind, ipv6, reader)
    return OperatorComponent.decode(kind, reader)
