"""NOTIFICATION: why a session ends (RFC 4271 section 4.5), in octets and in words."""

from __future__ import annotations

from typing import Self

from msgspec import Struct

from bgp.errors import NotifyError
from bgp.message import HEADER_LENGTH, MessageType, build
from bgp.negotiated import MESSAGE_SIZE
from bgp.wire import text_octets

CODE_NAMES = {
    1: "Message Header Error",
    2: "OPEN Message Error",
    3: "UPDATE Message Error",
    4: "Hold Timer Expired",
    5: "Finite State Machine Error",
    6: "Cease",
    7: "ROUTE-REFRESH Message Error",  # RFC 7313
    8: "Send Hold Timer Expired",  # RFC 9687
}

SUBCODE_NAMES = {
    (1, 1): "Connection Not Synchronized",
    (1, 2): "Bad Message Length",
    (1, 3): "Bad Message Type",
    (2, 1): "Unsupported Version Number",
    (2, 2): "Bad Peer AS",
    (2, 3): "Bad BGP Identifier",
    (2, 4): "Unsupported Optional Parameter",
    (2, 5): "Authentication Failure",
    (2, 6): "Unacceptable Hold Time",
    (2, 7): "Unsupported Capability",  # RFC 5492
    (2, 11): "Role Mismatch",  # RFC 9234
    (3, 1): "Malformed Attribute List",
    (3, 2): "Unrecognized Well-known Attribute",
    (3, 3): "Missing Well-known Attribute",
    (3, 4): "Attribute Flags Error",
    (3, 5): "Attribute Length Error",
    (3, 6): "Invalid ORIGIN Attribute",
    (3, 7): "AS Routing Loop",
    (3, 8): "Invalid NEXT_HOP Attribute",
    (3, 9): "Optional Attribute Error",
    (3, 10): "Invalid Network Field",
    (3, 11): "Malformed AS_PATH",
    (5, 1): "Receive Unexpected Message in OpenSent State",  # RFC 6608
    (5, 2): "Receive Unexpected Message in OpenConfirm State",
    (5, 3): "Receive Unexpected Message in Established State",
    (6, 1): "Maximum Number of Prefixes Reached",  # RFC 4486
    (6, 2): "Administrative Shutdown",
    (6, 3): "Peer De-configured",
    (6, 4): "Administrative Reset",
    (6, 5): "Connection Rejected",
    (6, 6): "Other Configuration Change",
    (6, 7): "Connection Collision Resolution",
    (6, 8): "Out of Resources",
    (6, 9): "Hard Reset",  # RFC 8538
    (6, 10): "BFD Down",  # RFC 9384
    (7, 1): "Invalid Message Length",
}

CEASE = 6
MAXIMUM_PREFIXES = 1
ADMINISTRATIVE_SHUTDOWN = 2
PEER_DECONFIGURED = 3  # ExaBGP ends sessions with it that begin anew with other settings, or in a restart
ADMINISTRATIVE_RESET = 4
CONNECTION_REJECTED = 5
COLLISION = 7
OUT_OF_RESOURCES = 8
HARD_RESET = 9

COMMUNICATION_LENGTH = 255  # RFC 9003
SHOWN_OCTETS = 64  # of other data, in words


def code_name(code: int) -> str:
    """Name an error code, `Error N` where it is unknown."""
    return CODE_NAMES.get(code, f"Error {code}")


def subcode_name(code: int, subcode: int) -> str:
    """Name a subcode: `Unspecific` for 0, `Subcode N` where it is unknown."""
    if subcode == 0:
        return "Unspecific"
    return SUBCODE_NAMES.get((code, subcode), f"Subcode {subcode}")


def shutdown_data(text: str) -> bytes:
    """Encode a shutdown communication: length, then UTF-8, cut between characters at 255 octets (RFC 9003)."""
    octets = text_octets(text, COMMUNICATION_LENGTH)
    return bytes((len(octets),)) + octets


def shutdown_text(data: bytes) -> str | None:
    """Decode a shutdown communication; None where there is none, or where length or UTF-8 are wrong.

    Octets after the text are ignored. The text comes from a stranger: whoever prints it escapes it (RFC 9003
    section 6).
    """
    if not data or not data[0] or len(data) <= data[0]:
        return None
    try:
        return data[1 : 1 + data[0]].decode("utf-8")
    except UnicodeDecodeError:
        return None


def printable(text: str) -> str:
    """Escape whatever could break a log line or a terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class Notification(Struct, frozen=True):
    """An error code, a subcode and data."""

    code: int
    subcode: int
    data: bytes = b""

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the body; raise NotifyError 1/2 under 2 octets, which the framer never lets through."""
        if len(body) < 2:
            length = (HEADER_LENGTH + len(body)).to_bytes(2, "big")
            raise NotifyError(1, 2, f"NOTIFICATION body has {len(body)} octets, not 2 or more", length)
        return cls(body[0], body[1], body[2:])

    def encode(self) -> bytes:
        """Return the body."""
        return bytes((self.code, self.subcode)) + self.data

    def message(self) -> bytes:
        """Return the whole message. Data that would exceed 4096 octets is cut: the peer may not take more."""
        return build(MessageType.NOTIFICATION, self.encode()[: MESSAGE_SIZE - HEADER_LENGTH])

    @classmethod
    def from_error(cls, error: NotifyError) -> Self:
        """Return what to send for `error`."""
        return cls(error.code, error.subcode, error.data)

    @classmethod
    def cease(cls, subcode: int, text: str = "") -> Self:
        """Build a Cease; `text` is a shutdown communication for subcodes 2 and 4, plain octets for others.

        Two have data of another kind, and no text: a limit of prefixes (RFC 4486 section 4), and a Hard Reset, which
        is one of an Administrative Reset here (RFC 8538 section 3.1).
        """
        if subcode == HARD_RESET:
            return cls(CEASE, subcode, bytes((CEASE, ADMINISTRATIVE_RESET)))
        if not text or subcode == MAXIMUM_PREFIXES:
            return cls(CEASE, subcode)
        if subcode in (ADMINISTRATIVE_SHUTDOWN, ADMINISTRATIVE_RESET):
            return cls(CEASE, subcode, shutdown_data(text))
        return cls(CEASE, subcode, text.encode("utf-8", "replace"))

    @property
    def name(self) -> str:
        """The code's name."""
        return code_name(self.code)

    @property
    def subcode_name(self) -> str:
        """The subcode's name."""
        return subcode_name(self.code, self.subcode)

    @property
    def communication(self) -> str | None:
        """The shutdown communication of a Cease 6/2 or 6/4, where it is well-formed (RFC 9003)."""
        if self.code == CEASE and self.subcode in (ADMINISTRATIVE_SHUTDOWN, ADMINISTRATIVE_RESET):
            return shutdown_text(self.data)
        return None

    @property
    def hard_reset(self) -> Notification | None:
        """What a Hard Reset encapsulates (RFC 8538 section 3.1); None for others and for damaged ones.

        One within another is damaged: a message could hold a thousand.
        """
        if (self.code, self.subcode) != (CEASE, HARD_RESET) or len(self.data) < 2:
            return None
        inner = Notification(self.data[0], self.data[1], self.data[2:])
        return None if (inner.code, inner.subcode) == (CEASE, HARD_RESET) else inner

    def __str__(self) -> str:
        """Describe in one printable line, such as `6/4 Cease, Administrative Reset: "maintenance"`."""
        text = f"{self.code}/{self.subcode} {self.name}, {self.subcode_name}"
        inner = self.hard_reset
        if inner is not None:
            return f"{text} ({inner})"
        communication = self.communication
        if communication is not None:
            return f'{text}: "{printable(communication)}"'
        if len(self.data) > SHOWN_OCTETS:
            return f"{text}: 0x{self.data[:SHOWN_OCTETS].hex()}… of {len(self.data)} octets"
        return f"{text}: 0x{self.data.hex()}" if self.data else text
