"""Forms that ExaBGP 5.0.15 was seen to take, each beside the plain form that means the same."""

from __future__ import annotations

import pytest

from apid.grammar.command import RouteChange, parse_command
from apid.grammar.route import RouteEntry

ROUTE = "announce route 10.0.0.0/24 next-hop 192.0.2.1"
FLOW = "announce flow route { match { destination 10.0.0.0/24; %s } then { %s } }"
MUP = "rd 1:1 next-hop 192.0.2.1"

SAME = [
    # A word that stands twice: most count the first time, labels, rd and the numbers of one family the last.
    (f"{ROUTE} med 1 med 2", f"{ROUTE} med 1"),
    (f"{ROUTE} label 3 label 4", f"{ROUTE} label 4"),
    (f"{ROUTE} label 3 rd 1:1 rd 2:2", f"{ROUTE} label 3 rd 2:2"),
    (f"{ROUTE} split /25 split /26", f"{ROUTE} split /25"),
    (
        "announce vpls rd 1:1 endpoint 1 base 1 base 2 offset 1 size 8 size 9 next-hop 192.0.2.1",
        "announce vpls rd 1:1 endpoint 1 base 2 offset 1 size 9 next-hop 192.0.2.1",
    ),
    (f"{ROUTE} attribute [ 0x4 0x80 0x00000005 ]", f"{ROUTE} med 5"),
    ("announce route 10.0.0.0/24 next-hop SELF", "announce route 10.0.0.0/24 next-hop self"),
    (f"{ROUTE} extended-community target4:192.0.2.1:5", f"{ROUTE} extended-community target:192.0.2.1:5"),
    (f"{ROUTE} extended-community origin4:192.0.2.1:5", f"{ROUTE} extended-community origin:192.0.2.1:5"),
    (FLOW % ("port HTTP;", "discard;"), FLOW % ("port =80;", "discard;")),
    (FLOW % ("port >irdmi&<cslistener;", "discard;"), FLOW % ("port >8000&<9000;", "discard;")),
    (FLOW % ("", "action terminal-sample;"), FLOW % ("", "action sample-terminal;")),
    (f"announce ipv4 mup mup-isd 10.0.0.1/24 {MUP}", f"announce ipv4 mup mup-isd 10.0.0.0/24 {MUP}"),
]


def routes(line: str) -> tuple[RouteEntry, ...]:
    """Parse a change of routes."""
    command = parse_command(line)
    assert isinstance(command, RouteChange)
    return command.entries


@pytest.mark.parametrize(("form", "plain"), SAME, ids=[form for form, _ in SAME])
def test_a_form_that_exabgp_takes_means_what_it_means_there(form: str, plain: str) -> None:
    assert routes(form) == routes(plain)


def test_a_partial_bit_that_was_asked_for_is_sent() -> None:
    (entry,) = routes(f"{ROUTE} attribute [ 0x08 0xe0 0x00010001 ]")
    assert bytes.fromhex("e0080400010001") in entry.attributes
