"""The three ways in which a received message can be wrong (RFC 7606 section 2), and nothing else."""

from __future__ import annotations


class BGPError(Exception):
    """Base of the three errors that a decoder may raise."""


class NotifyError(BGPError):
    """End the session with a NOTIFICATION (RFC 4271 section 6).

    `code`, `subcode` and `data` go on the wire; `reason` goes to the log.
    """

    def __init__(self, code: int, subcode: int, reason: str, data: bytes = b"") -> None:
        super().__init__(reason)
        self.code = code
        self.subcode = subcode
        self.reason = reason
        self.data = data

    def __str__(self) -> str:
        return f"{self.code}/{self.subcode}: {self.reason}"


class TreatAsWithdraw(BGPError):
    """Handle every route of the UPDATE as withdrawn (RFC 7606 section 2)."""


class AttributeDiscard(BGPError):
    """Drop the attribute, keep the routes (RFC 7606 section 2)."""
