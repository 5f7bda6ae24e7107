"""The UPDATE cases of ../shared/vectors end as expected where no socket is involved: in `decode_update`."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

import pytest

from bgp.errors import NotifyError
from bgp.family import FAMILIES
from bgp.negotiated import Negotiated
from bgp.update import Update, decode_update
from tests.shared import ROOT, shared

HEADER_OCTETS = 19


def load() -> list[dict[str, Any]]:
    path = ROOT.parent / "shared" / "vectors" / "vectors.jsonl"
    if not path.exists():
        return []
    cases = map(json.loads, path.read_text().splitlines())
    return [case for case in cases if case["kind"] == "update" and case["context"]["state"] == "established"]


CASES = load()


def negotiated(context: dict[str, Any]) -> Negotiated:
    return Negotiated(
        local_as=context["dut_as"],
        peer_as=context["peer_as"],
        local_address=bytes((127, 0, 0, 1)),
        peer_address=bytes((127, 0, 0, 2)),
        asn4=context["as4"],
        families=tuple(FAMILIES[name] for name in context["families"]),
    )


def bodies(text: str) -> list[bytes]:
    octets = bytes.fromhex(text)
    found = []
    while octets:
        length = int.from_bytes(octets[16:18], "big")
        found.append(octets[HEADER_OCTETS:length])
        octets = octets[length:]
    return found


def item(prefix: str) -> bytes:
    network = IPv4Network(prefix)
    octets = network.network_address.packed[: (network.prefixlen + 7) // 8]
    return bytes(4) + bytes((network.prefixlen,)) + octets


def outcomes(case: dict[str, Any], update: Update) -> set[str]:
    """Every outcome of the corpus that describes this result."""
    announced = [route for reach in update.announced for route in reach.items]
    withdrawn = [route for unreach in update.withdrawn for route in unreach.items]
    prefix = case.get("prefix")
    here = item(prefix) in announced if prefix else update.error is None
    gone = item(prefix) in withdrawn if prefix else update.error is not None
    code = case.get("attr_code")
    found = set()
    if here and (code is None or update.attributes.get(code) is None):
        found.add("attribute-discard")
    if here:
        found.add("accept")
    if gone and not here:
        found.add("treat-as-withdraw")
    return found


def test_the_corpus_is_there() -> None:
    shared("vectors/vectors.jsonl")
    assert len(CASES) > 80


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_update_ends_as_the_corpus_says(case: dict[str, Any]) -> None:
    context = negotiated(case["context"])
    allowed = {case["expected"], *case.get("also_ok", [])}
    try:
        for body in bodies(case["hex"]):
            update = decode_update(body, context)
    except NotifyError as error:
        found = {f"session-reset {error.code}/{error.subcode}"}
        if "survive" in allowed:
            return
    else:
        if "survive" in allowed:
            return
        found = outcomes(case, update)
    assert found & allowed
