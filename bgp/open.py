"""OPEN: who the speaker is and what it can do (RFC 4271 section 4.2, RFC 5492, RFC 9072)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Self, TypeVar

from msgspec import Struct

from bgp.capability import Capability, FourOctetAsn, decode_capability
from bgp.errors import NotifyError
from bgp.message import HEADER_LENGTH, MessageType, build
from bgp.wire import Reader, Truncated

VERSION = 4

_FIXED = struct.Struct("!BHH4sB")
_CAPABILITIES = 2  # the only optional parameter that is left (RFC 5492)
_EXTENDED = 255  # RFC 9072: stands where the first parameter's type would

_C = TypeVar("_C", bound=Capability)


class Open(Struct, frozen=True):
    """An OPEN message. `asn` is the 2-octet field: the real number may be in a capability, see `real_asn`."""

    asn: int
    hold_time: int
    router_id: bytes
    capabilities: tuple[Capability, ...] = ()
    version: int = VERSION

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body; raise NotifyError 2/1, 2/4 or 2/0 (RFC 4271 section 6.2).

        What only makes sense against the configuration (AS, identifier, hold time) is `negotiate`'s.
        """
        if len(body) < _FIXED.size:
            length = (HEADER_LENGTH + len(body)).to_bytes(2, "big")
            raise NotifyError(1, 2, f"OPEN body has {len(body)} octets, not 10 or more", length)
        version, asn, hold_time, router_id, length = _FIXED.unpack_from(body)
        if version != VERSION:
            raise NotifyError(2, 1, f"BGP version {version} is not {VERSION}", VERSION.to_bytes(2, "big"))
        try:
            capabilities = tuple(_parameters(length, body[_FIXED.size :]))
        except ValueError as error:
            raise NotifyError(2, 0, f"OPEN is malformed: {error}") from error
        return cls(asn, hold_time, router_id, capabilities)

    @classmethod
    def from_message(cls, message: bytes) -> Self:
        """Read a whole message, header included."""
        return cls.decode(message[HEADER_LENGTH:])

    def encode(self) -> bytes:
        """Return the body: one parameter for each capability, lengths of 2 octets over 255 octets (RFC 9072)."""
        values = [(capability.code, capability.encode()) for capability in self.capabilities]
        total = sum(4 + len(value) for _, value in values)
        if total <= 255:
            length = bytes((total,))
            parameters = [bytes((_CAPABILITIES, 2 + len(value))) for _, value in values]
        else:
            total += len(values)
            length = bytes((255, _EXTENDED)) + total.to_bytes(2, "big")
            parameters = [bytes((_CAPABILITIES,)) + (2 + len(value)).to_bytes(2, "big") for _, value in values]
        capabilities = [bytes((code, len(value))) + value for code, value in values]
        fixed = _FIXED.pack(self.version, self.asn, self.hold_time, self.router_id, 0)[:-1]
        pairs = zip(parameters, capabilities, strict=True)
        return fixed + length + b"".join(parameter + capability for parameter, capability in pairs)

    def message(self) -> bytes:
        """Return the whole message."""
        return build(MessageType.OPEN, self.encode())

    def all(self, kind: type[_C]) -> Iterator[_C]:
        """Walk over every capability of a class: some may legally come more than once."""
        return (capability for capability in self.capabilities if isinstance(capability, kind))

    def last(self, kind: type[_C]) -> _C | None:
        """Return the last capability of a class, which counts where there are several (RFC 4724 section 3), or None."""
        return next((each for each in reversed(self.capabilities) if isinstance(each, kind)), None)

    def has(self, kind: type[Capability]) -> bool:
        """Tell whether a capability was announced."""
        return self.last(kind) is not None

    @property
    def real_asn(self) -> int:
        """The AS number: the capability's where there is one (RFC 6793), else the 2-octet field."""
        asn4 = self.last(FourOctetAsn)
        return self.asn if asn4 is None else asn4.asn


def _parameters(length: int, octets: bytes) -> Iterator[Capability]:
    """Walk over the capabilities in the optional parameters; raise ValueError, or NotifyError 2/4."""
    extended = length > 0 and octets[:1] == bytes((_EXTENDED,))
    if extended:
        # RFC 9072 section 2: the one-octet length no longer matters once the type says "extended".
        head = Reader(octets)
        head.u8()
        length = head.u16()
        octets = head.rest()
    if length != len(octets):
        raise Truncated(f"optional parameters have {len(octets)} octets, not {length} as their length says")
    reader = Reader(octets)
    while len(reader):
        kind = reader.u8()
        value = reader.take(reader.u16() if extended else reader.u8())
        if kind != _CAPABILITIES:
            raise NotifyError(2, 4, f"optional parameter {kind} is not {_CAPABILITIES}, capabilities")
        capabilities = Reader(value)
        while len(capabilities):
            code = capabilities.u8()
            yield decode_capability(code, capabilities.take(capabilities.u8()))
