"""Events for taps, and their topics."""

from __future__ import annotations

from typing import Any

from bus.schema.codec import Message, message


@message(60, "anyone → broker → taps (second frame; the first is the topic)")
class Event(Message, frozen=True):
    """Something happened. `sequence` counts the publisher's events of one epoch: a gap shows what was missed."""

    publisher: str
    epoch: str
    sequence: int
    time: float
    topic: str
    data: dict[str, Any]


TOPICS = {
    "state/NEIGHBOR": "session state: state (connected, up, down), reason",
    "open/NEIGHBOR": "a session's OPENs crossed: sent, received (octets)",
    "update/NEIGHBOR": "UPDATEs received: messages (list of octets)",
    "notification/NEIGHBOR": "NOTIFICATION: direction, code, subcode, data, text",
    "refresh/NEIGHBOR": "ROUTE-REFRESH received and acted upon: afi, safi, subtype",
    "limit/NEIGHBOR": "a limit of received routes: afi, safi, count, maximum, what (warning, exceeded, teardown)",
    "out/NEIGHBOR": "UPDATEs written to the peer: octets (whole messages, joined)",
    "rib": "a request was carried out: client (`lease`: leases have ended), sequence, announced, withdrawn (routes)",
    "helper/NAME": "helper life: state (started, exited, lost, reading) and details",
    "config": "a configuration was applied or refused: generation, reason",
    "bad/PROGRAM": "a bad message was refused: reason, count",
}
