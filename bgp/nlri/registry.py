"""The base of every NLRI, and the tables that say which class reads which family."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from msgspec import Struct

from bgp.family import Family
from bgp.wire import Truncated

PATH_ID_OCTETS = 4  # RFC 7911 section 3: the path identifier in front of the NLRI
NO_PATH_ID = bytes(PATH_ID_OCTETS)


class NLRI(Struct, frozen=True, kw_only=True):
    """One route's network layer reachability information.

    A subclass sets `HEADER`, and writes `measure`, `decode`, `encode`, and `route_key` where not all
    octets identify the route. Its constructor validates and raises ValueError, and so does `decode`;
    nothing else may escape on hostile octets.
    """

    HEADER: ClassVar[int] = 1  # octets that `measure` needs to see

    family: Family
    path_id: int = 0

    def __post_init__(self) -> None:
        """Refuse a path identifier that does not fit 32 bits. A subclass that overrides this calls it."""
        if not 0 <= self.path_id <= 0xFFFFFFFF:
            raise ValueError(f"path identifier {self.path_id} is not within 0..4294967295")

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return how many octets the NLRI at `offset` spans, its header included.

        `HEADER` octets are there for certain; the rest need not be. Raises ValueError where the header
        makes no sense.
        """
        raise NotImplementedError

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> NLRI:
        """Read the octets of exactly one NLRI (as `measure` framed it); raises ValueError."""
        raise NotImplementedError

    def encode(self) -> bytes:
        """Return the octets on the wire, without the path identifier."""
        raise NotImplementedError

    def item(self) -> bytes:
        """Return the octets in ADD-PATH form: path identifier, then NLRI (RFC 7911 section 3)."""
        return self.path_id.to_bytes(PATH_ID_OCTETS, "big") + self.encode()

    @classmethod
    def route_key(cls, family: Family, item: bytes) -> bytes:
        """Return the octets that identify the route of an item; the item itself unless overridden."""
        return item

    @classmethod
    def split(cls, family: Family, data: bytes, add_path: bool) -> list[bytes]:
        """Cut an NLRI field into items by `measure`; raises ValueError on damage."""
        items = []
        offset, end = 0, len(data)
        while offset < end:
            path_id = NO_PATH_ID
            if add_path:
                path_id = data[offset : offset + PATH_ID_OCTETS]
                offset += PATH_ID_OCTETS
            stop = frame(cls, family, data, offset)
            items.append(path_id + data[offset:stop])
            offset = stop
        return items

    @classmethod
    def split_withdrawn(cls, family: Family, data: bytes, add_path: bool) -> list[bytes]:
        """Cut a field of withdrawn routes into items; like `split`, unless overridden."""
        return cls.split(family, data, add_path)


def frame(codec: type[NLRI], family: Family, data: bytes, offset: int) -> int:
    """Return where the NLRI at `offset` ends; raises Truncated when that is beyond the data."""
    left = len(data) - offset
    if left < codec.HEADER:
        raise Truncated(f"{family} NLRI: {codec.HEADER} octets expected, {max(left, 0)} left")
    size = codec.measure(family, data, offset)
    if size > left:
        raise Truncated(f"{family} NLRI: {size} octets expected, {left} left")
    return offset + size


class KindNLRI(NLRI, frozen=True, kw_only=True):
    """Base for the kinds of a family whose NLRI carry a type: the family's class picks by `KINDS`."""

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> KindNLRI:
        """Read what follows the type and length fields; raises ValueError."""
        raise NotImplementedError


CODECS: dict[Family, type[NLRI]] = {}
KINDS: dict[tuple[Family, int], type[KindNLRI]] = {}

Class = TypeVar("Class", bound=type[NLRI])
Kind = TypeVar("Kind", bound=type[KindNLRI])


def register(*families: Family) -> Callable[[Class], Class]:
    """Make the decorated class the codec of the families; raises ValueError where one is taken."""

    def enter(codec: Class) -> Class:
        for family in families:
            if family in CODECS:
                raise ValueError(f"{family} is already registered to {CODECS[family].__name__}")
            CODECS[family] = codec
        return codec

    return enter


def register_kind(number: int, *families: Family) -> Callable[[Kind], Kind]:
    """Make the decorated class the codec of one route type of the families; raises ValueError likewise."""

    def enter(codec: Kind) -> Kind:
        for family in families:
            if (family, number) in KINDS:
                raise ValueError(f"{family} type {number} is already {KINDS[family, number].__name__}")
            KINDS[family, number] = codec
        return codec

    return enter
