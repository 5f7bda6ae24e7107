"""Each clause on errors in UPDATEs (RFC 7606, and the RFCs of the attributes), from external and internal peers.

The rows of tests/golden/rfc7606.jsonl: `body` is the UPDATE without header, `item` the route that is watched
(10.1.1.0/24 where it is not given), `attribute` the code of the attribute that stays or goes. Outcomes: `accept`,
`attribute-discard`, `treat-as-withdraw`, `withdrawn` (asked for, no error), `nothing` (no route either way, no error),
or code and subcode of the NOTIFICATION, with its `data` where the clause says what that is. `asn4`, `families`,
`add_path` (received in every family), `next_hop` (IPv6 ones for IPv4 unicast) and `aigp` are the session's.
"""

from __future__ import annotations

from typing import Any

import pytest

from bgp.errors import NotifyError
from bgp.family import AFI, FAMILIES, IPV4_UNICAST
from bgp.negotiated import Negotiated
from bgp.update import Update, UpdateDecoder
from tests.unit.session_vectors import rows

ROWS = rows("rfc7606")
ROUTE = "00000000180a0101"
DEFAULT_FAMILIES = ["ipv4 unicast", "ipv6 unicast"]


def context(row: dict[str, Any]) -> Negotiated:
    families = tuple(FAMILIES[name] for name in row.get("families", DEFAULT_FAMILIES))
    internal = row["peer"] == "ibgp"
    return Negotiated(
        local_as=65000,
        peer_as=65000 if internal else 65001,
        local_address=bytes((10, 0, 0, 254)),
        asn4=row.get("asn4", True),
        families=families,
        add_path_receive=frozenset(families if row.get("add_path") else ()),
        next_hop=frozenset({(IPV4_UNICAST, AFI.IPV6)} if row.get("next_hop") else ()),
        aigp=internal or row.get("aigp", False),
    )


def outcome(row: dict[str, Any], update: Update) -> str:
    """Say in the words of the rows what became of the route and of the attribute."""
    item = bytes.fromhex(row.get("item", ROUTE))
    announced = any(item in reach.items for reach in update.announced)
    withdrawn = any(item in unreach.items for unreach in update.withdrawn)
    if update.error is not None:
        return "treat-as-withdraw" if withdrawn and not update.announced else "neither here nor gone"
    if announced:
        code = row.get("attribute")
        return "accept" if code is None or update.attributes.get(code) is not None else "attribute-discard"
    return "withdrawn" if withdrawn else "neither here nor gone" if update.announced or update.withdrawn else "nothing"


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_an_update_ends_as_its_clause_says(row: dict[str, Any]) -> None:
    decoder = UpdateDecoder(context(row))
    body = bytes.fromhex(row["body"])
    for _ in range(2):  # the second time with all that the decoder remembers
        data = ""
        try:
            found = outcome(row, decoder.decode(body))
        except NotifyError as error:
            found, data = f"{error.code}/{error.subcode}", error.data.hex()
        assert found == row["outcome"]
        assert data == row.get("data", data)


def test_every_row_has_an_id_of_its_own() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)


def test_a_sound_update_is_taken_after_every_other() -> None:
    sound = bytes.fromhex("00000014" + "40010100" + "40020602010000fde9" + "4003040a000002" + "180a0101")
    for peer_as in (65000, 65001):
        decoder = UpdateDecoder(Negotiated(local_as=65000, peer_as=peer_as))
        for row in ROWS:
            try:
                decoder.decode(bytes.fromhex(row["body"]))
            except NotifyError:
                decoder = UpdateDecoder(decoder.negotiated)
            update = decoder.decode(sound)
            assert (len(update.announced), update.error, update.discarded) == (1, None, ())
