"""Read octets with bounds: the base of every decoder."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address


class Truncated(ValueError):
    """Fewer octets than a field needs. Each codec turns it into its own of the three errors."""


class Reader:
    """Walk over octets; every read past the end raises `Truncated` with what was wanted."""

    __slots__ = ("_data", "_end", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0
        self._end = len(data)

    def __len__(self) -> int:
        """Octets left."""
        return self._end - self._offset

    def take(self, count: int) -> bytes:
        """Consume `count` octets."""
        start = self._offset
        end = start + count
        if end > self._end:
            raise Truncated(f"{count} octets expected, {self._end - start} left")
        self._offset = end
        return self._data[start:end]

    def u8(self) -> int:
        """Consume an unsigned 8-bit integer."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Consume an unsigned 16-bit integer in network order."""
        return int.from_bytes(self.take(2), "big")

    def u24(self) -> int:
        """Consume an unsigned 24-bit integer in network order."""
        return int.from_bytes(self.take(3), "big")

    def u32(self) -> int:
        """Consume an unsigned 32-bit integer in network order."""
        return int.from_bytes(self.take(4), "big")

    def u64(self) -> int:
        """Consume an unsigned 64-bit integer in network order."""
        return int.from_bytes(self.take(8), "big")

    def rest(self) -> bytes:
        """Consume everything that is left."""
        return self.take(self._end - self._offset)

    def finish(self) -> None:
        """Raise `Truncated` unless every octet was consumed."""
        if self._offset != self._end:
            raise Truncated(f"{self._end - self._offset} octets too many")


AS_TRANS = 23456  # RFC 6793 section 4.2.2: stands for an AS number that does not fit into 2 octets


def address_text(packed: bytes) -> str:
    """Render 4 or 16 octets as an IP address."""
    if len(packed) == 4:
        return str(IPv4Address(packed))
    if len(packed) == 16:
        return str(IPv6Address(packed))
    raise ValueError(f"an address has 4 or 16 octets, not {len(packed)}")


def text_octets(text: str, limit: int) -> bytes:
    """Encode text as UTF-8, cut between characters where it is longer than `limit` octets."""
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore").encode("utf-8")
