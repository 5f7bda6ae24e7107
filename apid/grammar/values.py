"""Read the values that statements are made of: numbers, addresses, prefixes, AS numbers and the like.

Functions named `…_value` take a text and raise ValueError that says what was seen; those that take `Words`
consume from the statement and raise `GrammarError` at the word.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TypeVar

from apid.grammar.words import GrammarError, Words
from bus.schema import LONGEST_LEASE

T = TypeVar("T")

MAXIMUM_16 = 0xFFFF
MAXIMUM_32 = 0xFFFFFFFF
MAXIMUM_LABEL = 0xFFFFF  # RFC 3032 section 2.1: 20 bits
ESI_OCTETS = 10  # RFC 7432 section 5
MAC_OCTETS = 6
LEASE_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}  # seconds


def read(words: Words, expected: str, convert: Callable[[str], T]) -> T:
    """Consume a word and convert it; the error of `convert` is reported at that word."""
    token = words.token(expected)
    try:
        return convert(token.text)
    except ValueError as error:
        raise GrammarError(str(error), token) from None


def read_list(words: Words, expected: str, convert: Callable[[str], T]) -> list[T]:
    """Consume one value, or values between `[` and `]` (commas between them are optional)."""
    if not words.accept("["):
        return [read(words, expected, convert)]
    values = []
    while not words.accept("]"):
        if not words.accept(","):
            values.append(read(words, f"{expected} or ']'", convert))
    return values


def digits(text: str) -> bool:
    """Tell whether the text is a plain decimal number."""
    return text.isascii() and text.isdigit()


def number_value(text: str, what: str, maximum: int = MAXIMUM_32, minimum: int = 0) -> int:
    """Convert a decimal number within a range."""
    if not digits(text):
        raise ValueError(f"{what} '{text}' is not a number")
    # A bound on the length keeps int() fast on hostile input.
    value = int(text) if len(text) <= 40 else maximum + 1
    if not minimum <= value <= maximum:
        raise ValueError(f"{what} '{text}' is not within {minimum}..{maximum}")
    return value


def number(what: str, maximum: int = MAXIMUM_32, minimum: int = 0) -> Callable[[str], int]:
    """Make a converter for `read`: a decimal number within a range."""
    return lambda text: number_value(text, what, maximum, minimum)


def any_number(what: str, maximum: int = MAXIMUM_32) -> Callable[[str], int]:
    """Make a converter for `read`: a decimal or 0x number within a range."""

    def convert(text: str) -> int:
        if text[:2].lower() != "0x":
            return number_value(text, what, maximum)
        value = int.from_bytes(hexadecimal_value(text, what, pad=True), "big")
        if value > maximum:
            raise ValueError(f"{what} '{text}' is not within 0..{maximum}")
        return value

    return convert


def hexadecimal_value(text: str, what: str, octets: int | None = None, pad: bool = False) -> bytes:
    """Convert `0x…` to octets; `pad` accepts an odd count of digits."""
    figures = text[2:]
    if text[:2].lower() != "0x" or not all(figure in "0123456789abcdefABCDEF" for figure in figures):
        raise ValueError(f"{what} '{text}' is not 0x and hexadecimal digits")
    if len(figures) % 2:
        if not pad:
            raise ValueError(f"{what} '{text}' has an odd count of hexadecimal digits")
        figures = "0" + figures
    value = bytes.fromhex(figures)
    if octets is not None and len(value) != octets:
        raise ValueError(f"{what} '{text}' has {len(value)} octets, expected {octets}")
    return value


def address_value(text: str) -> bytes:
    """Convert an IPv4 or IPv6 address to its 4 or 16 octets."""
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        raise ValueError(f"'{text}' is not an IP address") from None


def ipv4_value(text: str) -> bytes:
    """Convert an IPv4 address to its 4 octets."""
    try:
        return socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        raise ValueError(f"'{text}' is not an IPv4 address") from None


def ipv6_value(text: str) -> bytes:
    """Convert an IPv6 address to its 16 octets."""
    try:
        return socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        raise ValueError(f"'{text}' is not an IPv6 address") from None


def next_hop_value(text: str) -> bytes:
    """Convert an address, or `self` in any case to no octets."""
    if text.lower() == "self":
        return b""
    try:
        return address_value(text)
    except ValueError:
        raise ValueError(f"next-hop '{text}' is neither an IP address nor self") from None


def host_bits(address: bytes, length: int) -> int:
    """Return the bits of an address beyond a prefix length, as a number."""
    return int.from_bytes(address, "big") & ((1 << (len(address) * 8 - length)) - 1)


def clear_host_bits(address: bytes, length: int) -> bytes:
    """Return the address with zeros beyond a prefix length."""
    value = int.from_bytes(address, "big") & ~((1 << (len(address) * 8 - length)) - 1)
    return value.to_bytes(len(address), "big")


def prefix_value(text: str, mask: bool = False) -> tuple[bytes, int]:
    """Convert `address[/length]` to packed address and length; without length it is a host.

    Bits beyond the length raise ValueError, or are cleared with `mask`.
    """
    address_text, slash, length_text = text.partition("/")
    try:
        address = address_value(address_text)
    except ValueError:
        raise ValueError(f"'{text}' is not an IP prefix") from None
    maximum = len(address) * 8
    if not slash:
        return address, maximum
    if not digits(length_text) or len(length_text) > 3 or int(length_text) > maximum:
        raise ValueError(f"prefix '{text}' needs a length within 0..{maximum}")
    length = int(length_text)
    if host_bits(address, length):
        if not mask:
            raise ValueError(f"prefix '{text}' has host bits set: a prefix of /{length} ends in zeros")
        address = clear_host_bits(address, length)
    return address, length


def asn_value(text: str) -> int:
    """Convert an AS number, plain or `high.low` (RFC 5396)."""
    high, dot, low = text.partition(".")
    if dot:
        if digits(high) and digits(low) and max(len(high), len(low)) <= 5:
            halves = int(high), int(low)
            if max(halves) <= MAXIMUM_16:
                return halves[0] << 16 | halves[1]
    elif digits(text) and len(text) <= 10 and int(text) <= MAXIMUM_32:
        return int(text)
    raise ValueError(f"'{text}' is not an AS number")


def real_asn_value(text: str) -> int:
    """Convert an AS number that may stand in a path or aggregator: not 0 (RFC 7607)."""
    value = asn_value(text)
    if not value:
        raise ValueError(f"AS number '{text}' is reserved (RFC 7607)")
    return value


def administrator_value(text: str, number_text: str, what: str) -> tuple[int, bytes]:
    """Convert `administrator`:`number`, as in route distinguishers and extended communities.

    Return the type of the form and 6 octets: 0 is a 2-octet AS with a 32-bit number, 1 an IPv4 address with
    16 bits, 2 a 4-octet AS with 16 bits. A suffix `L` asks for type 2. The number may be a dotted quad.
    """
    seen = f"{what} '{text}:{number_text}'"
    if text.count(".") == 3:
        return 1, ipv4_value(text) + number_value(number_text, f"{seen}: number", MAXIMUM_16).to_bytes(2, "big")
    long = text.endswith("L")
    try:
        asn = asn_value(text.removesuffix("L"))
    except ValueError:
        raise ValueError(f"{seen} does not begin with an AS number or IPv4 address") from None
    if long or asn > MAXIMUM_16 or "." in text:
        low = number_value(number_text, f"{seen}: number", MAXIMUM_16)
        return 2, asn.to_bytes(4, "big") + low.to_bytes(2, "big")
    if number_text.count(".") == 3:
        return 0, asn.to_bytes(2, "big") + ipv4_value(number_text)
    return 0, asn.to_bytes(2, "big") + number_value(number_text, f"{seen}: number").to_bytes(4, "big")


def rd_value(text: str) -> bytes:
    """Convert a route distinguisher to its 8 octets (RFC 4364 section 4.2)."""
    administrator, colon, number_text = text.rpartition(":")
    if not colon:
        raise ValueError(f"route distinguisher '{text}' is not of the form ASN:NUMBER or IP:NUMBER")
    kind, value = administrator_value(administrator, number_text, "route distinguisher")
    return kind.to_bytes(2, "big") + value


def path_information_value(text: str) -> int:
    """Convert an ADD-PATH path identifier: a number or a dotted quad (RFC 7911)."""
    if text.count(".") == 3:
        return int.from_bytes(ipv4_value(text), "big")
    return number_value(text, "path-information")


def lease_value(text: str) -> int:
    """Convert a duration, `30`, `30s`, `5m`, `1h` or `2d`, to seconds: 1 to a year."""
    factor = LEASE_UNITS.get(text[-1:])
    count = text if factor is None else text[:-1]
    if not digits(count) or len(count) > 9:
        raise ValueError(f"ttl '{text}' is not a number of seconds, or a number with s, m, h or d")
    seconds = int(count) * (factor or 1)
    if not 0 < seconds <= LONGEST_LEASE:
        raise ValueError(f"ttl '{text}' is out of range: 1 to {LONGEST_LEASE} seconds expected")
    return seconds


def label_value(text: str) -> int:
    """Convert an MPLS label, 20 bits."""
    return number_value(text, "label", MAXIMUM_LABEL)


def mac_value(text: str) -> bytes:
    """Convert a MAC address of six octets with `:` or `-` between them."""
    return _octets_value(text, MAC_OCTETS, "MAC address")


def esi_value(text: str) -> bytes:
    """Convert an Ethernet segment identifier: ten octets with `:` between them, `0x…`, or 0 for none."""
    if text == "0":
        return bytes(ESI_OCTETS)
    if text[:2].lower() == "0x":
        return hexadecimal_value(text, "ESI", ESI_OCTETS)
    return _octets_value(text, ESI_OCTETS, "ESI")


def _octets_value(text: str, count: int, what: str) -> bytes:
    """Convert octets in hexadecimal, two figures each, with separators."""
    figures = text.replace("-", ":").split(":")
    if len(figures) != count or any(len(pair) != 2 for pair in figures):
        raise ValueError(f"{what} '{text}' is not {count} octets such as 00:11:22…")
    try:
        return bytes(int(pair, 16) for pair in figures)
    except ValueError:
        raise ValueError(f"{what} '{text}' is not {count} octets such as 00:11:22…") from None
