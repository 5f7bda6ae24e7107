"""`validate -r`: what a peer reads is what was configured, and a difference is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from apid.cli.main import main
from apid.cli.packing import agreed, pack_entry, problems
from apid.compile import compile_configuration
from apid.config.load import load_text
from apid.config.options import Environment
from apid.control.neighbors import known_of
from apid.grammar.route import RouteEntry
from apid.render.renderer import seen_by_peer
from bgp.attribute.walk import frame
from bgp.negotiated import Negotiated
from bgp.pack import Packer
from bgp.shape import Shape
from bus.settings import SessionConfiguration

EVERY_ATTRIBUTE = """
route 10.0.0.0/24 next-hop 192.0.2.1 local-preference 300 med 5 origin egp as-path [ 4200000009 1 ] aigp 5
  community [ 1:2 no-export ] large-community 1:2:3 extended-community target:1:2 originator-id 1.1.1.1
  cluster-list [ 1.1.1.1 2.2.2.2 ] aggregator 65001:1.1.1.1 atomic-aggregate path-information 7;
route 10.0.1.0/24 next-hop self attribute [ 0x63 0xc0 0x0102 ];
route 10.0.3.0/24 next-hop 192.0.2.1 rd 1:2 label 7 extended-community [ target:1:2 ];
route 2001:db8::/32 next-hop 2001:db8::1;
""".replace("\n  ", " ")
FLOW = "flow { route { match { destination 10.0.0.0/8; } then { redirect 1.2.3.4; } } }"


def routes(
    peer_as: int = 65001, more: str = "", local_as: str = "65001"
) -> tuple[tuple[RouteEntry, ...], Packer, Negotiated]:
    text = (
        f"neighbor 127.0.0.2 {{ router-id 10.0.0.1; local-address 127.0.0.1; local-as {local_as}; peer-as {peer_as};"
        f" {more} static {{ {EVERY_ATTRIBUTE} }} {FLOW} }}"
    )
    configuration = load_text(text, {})
    (peerd,) = compile_configuration(configuration, Environment(), "x").peerds.values()
    known = known_of(SessionConfiguration.from_wire(peerd.sessions[0]), "peerd")
    session = agreed(known.settings, known.local_address)
    return configuration.neighbors[0].routes, Packer(Shape.of(session)), seen_by_peer(session)


@pytest.mark.parametrize(("local_as", "peer_as"), [("65001", 65001), ("65001", 65002), ("auto", 65001)])
@pytest.mark.parametrize("more", ["", "capability { asn4 disable; add-path send; }"])
def test_every_attribute_comes_back_as_it_was_configured(local_as: str, peer_as: int, more: str) -> None:
    entries, packer, negotiated = routes(peer_as, more, local_as)
    assert negotiated.ibgp is (peer_as == 65001)
    for entry in entries:
        found = [each for each in problems(entry, pack_entry(packer, entry), negotiated) if "discard" not in each]
        assert not [each for each in found if "came back" in each or "did not come" in each]


@pytest.mark.parametrize(
    ("code", "value", "told"),
    [
        (1, b"\x02", "Origin"),
        (3, b"\xc0\x00\x02\x09", "the next hop c0000201 came back as c0000209"),
        (4, b"\x00\x00\x00\x06", "Med(value=5) came back as Med(value=6)"),
        (5, b"\x00\x00\x00\x06", "LocalPref(value=300)"),
        (8, b"\x00\x01\x00\x02\x00\x01\x00\x03", "Communities"),
    ],
)
def test_an_attribute_that_comes_back_as_another_is_told(code: int, value: bytes, told: str) -> None:
    entries, packer, negotiated = routes()
    (message,) = pack_entry(packer, entries[0])
    place = message.index(frame(0x80 if code in (4,) else 0xC0 if code == 8 else 0x40, code, value)[:3]) + 3
    damaged = message[:place] + value + message[place + len(value) :]
    (found,) = problems(entries[0], [damaged], negotiated)
    assert told in found


def test_a_route_that_does_not_come_back_is_told() -> None:
    entries, packer, negotiated = routes()
    assert (
        list(problems(entries[0], pack_entry(packer, entries[1]), negotiated))[-1] == "1 of 1 routes did not come back"
    )


def test_a_difference_is_told_with_its_file_and_line(tmp_path: Path) -> None:
    """Attribute 99 is well-known by its flags, and nobody knows it."""
    template = (
        "template { neighbor t {\n static {\n route 10.1.0.0/24 next-hop self attribute [ 0x63 0x40 0x01 ];\n} } }\n"
    )
    path = tmp_path / "routes.conf"
    path.write_text(
        f"{template}neighbor 127.0.0.2 {{ inherit t; router-id 10.0.0.1; local-as 65001; peer-as 65002; static {{\n"
        "route 10.0.0.0/24 next-hop 192.0.2.1;\nroute 10.2.0.0/24 next-hop self attribute [ 0x63 0x40 0x01 ];\n} }\n"
    )
    result = CliRunner().invoke(main, ["validate", "-r", str(path)])
    assert result.exit_code == 1
    told = result.stderr.splitlines()
    assert any(
        line.removeprefix("Error: ").startswith(f"{path}:3: 127.0.0.2: ipv4 unicast 10.1.0.0/24") for line in told
    )
    assert any(
        line.removeprefix("Error: ").startswith(f"{path}:7: 127.0.0.2: ipv4 unicast 10.2.0.0/24") for line in told
    )
    assert len(told) == 2
