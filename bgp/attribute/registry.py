"""The path attributes that this library reads, one row for each code, and what RFC 7606 wants done about errors.

A module that adds an attribute writes a frozen class derived from `Attribute` and puts
`@register(...)` outermost; importing the module is all it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Self, TypeVar

from msgspec import Struct

from bgp.errors import AttributeDiscard, TreatAsWithdraw
from bgp.negotiated import Negotiated

OPTIONAL = 0x80
TRANSITIVE = 0x40
PARTIAL = 0x20
EXTENDED_LENGTH = 0x10

WELL_KNOWN = TRANSITIVE
OPTIONAL_TRANSITIVE = OPTIONAL | TRANSITIVE
OPTIONAL_NON_TRANSITIVE = OPTIONAL

Malformed = type[TreatAsWithdraw] | type[AttributeDiscard]


class Attribute(Struct, frozen=True):
    """Base of all path attributes: the value alone, without flags, code and length.

    `CODE` and `FLAGS` (canonical Optional and Transitive bits) are set by each class, `NAME` and `MALFORMED`
    by `register`.
    """

    CODE: ClassVar[int]
    FLAGS: ClassVar[int]
    NAME: ClassVar[str]
    MALFORMED: ClassVar[Malformed] = TreatAsWithdraw

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read the value; consume all of `data` or raise one of the three errors."""
        raise NotImplementedError

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return the value's octets."""
        raise NotImplementedError

    @classmethod
    def malformed(cls, reason: str) -> TreatAsWithdraw | AttributeDiscard:
        """Build the error that RFC 7606 prescribes for this attribute: `raise cls.malformed("length 5 is not 4")`."""
        return cls.MALFORMED(f"{cls.NAME} {reason}")


class Row(Struct, frozen=True):
    """How a received attribute is judged before and beside its own decoder.

    malformed: the error for a malformed value.
    wrong_flags: the error for Optional or Transitive bits that conflict with the code (RFC 7606 section 3c).
    accepted: whether this session may carry it; its value is discarded unread elsewhere (RFC 7606 sections 7.5, 7.9,
    7.10).
    subcode: of the UPDATE Message Error, where only a session reset is left (RFC 7606 section 5.2).
    length: octets of the value where the code fixes them: another length has a subcode of its own (RFC 4271 section
    6.3).
    """

    code: int
    flags: int
    name: str
    attribute: type[Attribute]
    malformed: Malformed
    wrong_flags: Malformed
    accepted: Callable[[Negotiated], bool]
    subcode: int
    length: int | None


ATTRIBUTES: dict[int, Row] = {}

A = TypeVar("A", bound=Attribute)


def from_anyone(negotiated: Negotiated) -> bool:
    """Accept an attribute in every session."""
    return True


def from_internal_peers(negotiated: Negotiated) -> bool:
    """Accept an attribute from internal peers only."""
    return negotiated.ibgp


def register(
    name: str,
    malformed: Malformed = TreatAsWithdraw,
    *,
    wrong_flags: Malformed | None = None,
    accepted: Callable[[Negotiated], bool] = from_anyone,
    subcode: int = 9,
    length: int | None = None,
) -> Callable[[type[A]], type[A]]:
    """Enter a class under its `CODE`; the decorator stands outermost. A code used twice raises ValueError.

    `name` is the RFC's (`LARGE_COMMUNITY`); `wrong_flags` defaults to treat-as-withdraw; see `Row` for the others.
    """

    def enter(cls: type[A]) -> type[A]:
        if cls.CODE in ATTRIBUTES:
            raise ValueError(f"attribute {cls.CODE} is taken by {ATTRIBUTES[cls.CODE].name}")
        cls.NAME, cls.MALFORMED = name, malformed
        ATTRIBUTES[cls.CODE] = Row(
            cls.CODE,
            cls.FLAGS,
            name,
            cls,
            malformed,
            wrong_flags or TreatAsWithdraw,
            accepted,
            subcode,
            length,
        )
        return cls

    return enter
