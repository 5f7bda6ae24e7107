"""Text of the small values that JSON and text share: addresses, prefixes, distinguishers, labels, hex."""

from __future__ import annotations

import json
from functools import lru_cache
from socket import AF_INET6, inet_ntop

from bgp.nlri import RouteDistinguisher

quote = json.dumps  # the only way in which a string that a peer chose gets into an event


@lru_cache(maxsize=4096)
def address_text(packed: bytes) -> str:
    """Render 4 octets as IPv4, 16 as IPv6, any other number as hex (a peer may send what it likes)."""
    if len(packed) == 4:
        return f"{packed[0]}.{packed[1]}.{packed[2]}.{packed[3]}"
    if len(packed) == 16:
        return inet_ntop(AF_INET6, packed)
    return hex_text(packed)


def prefix_text(address: bytes, length: int) -> str:
    """Render a prefix as `address/length`."""
    return f"{address_text(address)}/{length}"


def hex_text(octets: bytes) -> str:
    """Render octets as 0x and capital digits; nothing is `0x`."""
    return "0x" + octets.hex().upper()


def rd_text(rd: bytes) -> str:
    """Render a route distinguisher as `asn:number` or `address:number`; unknown types as hex."""
    if rd[0] or rd[1] > RouteDistinguisher.FOUR_OCTET_AS:
        return hex_text(rd)
    parts = RouteDistinguisher.decode(rd)
    if parts.kind == RouteDistinguisher.IPV4_ADDRESS:
        return f"{address_text(rd[2:6])}:{parts.number}"
    return f"{parts.administrator}:{parts.number}"


def esi_text(esi: bytes) -> str:
    """Render an Ethernet segment identifier as 10 octets, `-` where it is zero (RFC 7432 section 5)."""
    return esi.hex(":") if any(esi) else "-"


def mac_text(mac: bytes) -> str:
    """Render a MAC address in capitals."""
    return mac.hex(":").upper()


def path_id_text(path_id: int) -> str:
    """Render a path identifier as a dotted quad."""
    return address_text(path_id.to_bytes(4, "big"))


def words_text(octets: bytes) -> str:
    """Decode text that a peer sent; what is not UTF-8 becomes the replacement character."""
    return octets.decode("utf-8", "replace")


def one_line(text: str) -> str:
    """Escape whatever could break a line of text or a terminal: text encoders have no other framing."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


def listed(texts: list[str]) -> str:
    """Render one word bare, several in brackets, as configurations accept them."""
    return texts[0] if len(texts) == 1 else f"[ {' '.join(texts)} ]"
