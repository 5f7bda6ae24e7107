"""What differs between the JSON that releases of ExaBGP print, as data."""

from __future__ import annotations

from msgspec import Struct


class Dialect(Struct, frozen=True):
    """One dialect of events, named by the `exabgp` member of each.

    `router_id`: the envelope has our identifier. `flat_as_path`: AS_PATH is three lists by kind of segment,
    not an object of segments. `raw_labels`: a label comes with its 24-bit word. `notification_message`: a
    NOTIFICATION comes with its data as text. `always_negotiated`: messages carry the negotiated values
    unasked. `flow_next_hop`: a flow carries its next hop. `listed_members`: what a BGP-LS attribute says twice
    is one list; otherwise the last value stands, as parsers make it of the two members that ExaBGP prints.
    """

    version: str
    router_id: bool = True
    flat_as_path: bool = False
    raw_labels: bool = False
    notification_message: bool = True
    always_negotiated: bool = False
    flow_next_hop: bool = True
    listed_members: bool = False


DIALECTS = {
    dialect.version: dialect
    for dialect in (
        Dialect("4.0.1", router_id=False, flat_as_path=True, notification_message=False),
        Dialect("5.0.0"),
        Dialect("6.0.0", raw_labels=True, always_negotiated=True, flow_next_hop=False, listed_members=True),
    )
}
RELEASES = {version.partition(".")[0]: dialect for version, dialect in DIALECTS.items()}
DEFAULT_DIALECT = DIALECTS["5.0.0"]
