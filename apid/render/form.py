"""In which forms, and in which direction, a helper wants messages."""

from __future__ import annotations

SEND = "send"
RECEIVE = "receive"
DECODED = "in"  # the direction that the decode command shows


class Form:
    """Flags of a subscription, to be joined with `|`.

    PARSED: the decoded event. PACKETS: the raw one, before it. CONSOLIDATE: one decoded event that also has
    the octets. NEGOTIATED: updates and packets carry the negotiated values.
    """

    PARSED = 1
    PACKETS = 2
    CONSOLIDATE = 4
    NEGOTIATED = 8
