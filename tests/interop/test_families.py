"""Routes of the families that GoBGP knows, announced by a helper and found in its tables."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import require
from tests.interop.lab import Place
from tests.routers.gobgp import GoBgp
from tests.routers.process import PATIENCE, Process, find_program, free_port, output_of, wait_for
from tests.routers.speaker import start_speaker

RD = "65001:100"
TARGET = "extended-community [ target:65001:100 ]"

# family as GoBGP spells it -> command, and words that its JSON of the route must hold
ROUTES: dict[str, tuple[str, list[str]]] = {
    "ipv4": ("announce route 10.1.0.0/24 next-hop 192.0.2.1 med 5", ["10.1.0.0/24", "192.0.2.1"]),
    "ipv6": ("announce route 2001:db8:1::/48 next-hop 2001:db8::1", ["2001:db8:1::/48", "2001:db8::1"]),
    "ipv4-mpls": ("announce route 10.2.0.0/24 label 200 next-hop 192.0.2.1", ["10.2.0.0/24", "200"]),
    "ipv6-mpls": (
        "announce route 2001:db8:2::/48 label 201 next-hop 2001:db8::1",
        ["2001:db8:2::/48", "201"],
    ),
    "vpnv4": (
        f"announce route 10.3.0.0/24 rd {RD} label 300 next-hop 192.0.2.1 {TARGET}",
        ["10.3.0.0/24", RD, "300"],
    ),
    "vpnv6": (
        f"announce vpnv6 2001:db8:3::/48 next-hop 2001:db8::1 route-distinguisher {RD} label 301 {TARGET}",
        ["2001:db8:3::/48", RD, "301"],
    ),
    "ipv4-flowspec": (
        (
            "announce flow route { match { source 10.4.0.0/16; destination-port [ =80 >8000&<9000 ]; protocol tcp; }"
            " then { discard; } }"
        ),
        ["source: 10.4.0.0/16", "==80", "tcp"],
    ),
    "ipv6-flowspec": (
        "announce ipv6 flow destination 2001:db8:4::/48 next-header udp rate-limit 9600",
        ["destination: 2001:db8:4::/48", "udp"],
    ),
    "l3vpn-ipv4-flowspec": (
        f"announce flow route {{ rd {RD}; match {{ source 10.5.0.0/16; }} then {{ redirect 65001:7; }} }}",
        ["source: 10.5.0.0/16", RD],
    ),
    "evpn": (
        (
            f"announce evpn macadvertisement aa:bb:cc:dd:ee:ff 10.6.0.1 1000 rd {RD} label 600 next-hop 192.0.2.1"
            " route-target [ target:65001:100 ]"
        ),
        ["aa:bb:cc:dd:ee:ff", "10.6.0.1", RD],
    ),
    "vpls": (
        f"announce vpls rd {RD} endpoint 3 base 5000 offset 1 size 8 next-hop 192.0.2.1 {TARGET}",
        [RD, "5000"],
    ),
}
GOBGP_FAMILIES = (
    "ipv4-unicast",
    "ipv6-unicast",
    "ipv4-labelled-unicast",
    "ipv6-labelled-unicast",
    "l3vpn-ipv4-unicast",
    "l3vpn-ipv6-unicast",
    "ipv4-flowspec",
    "ipv6-flowspec",
    "l3vpn-ipv4-flowspec",
    "l2vpn-evpn",
    "l2vpn-vpls",
)
# gobgp 3.10's command line shows nothing of these, though gobgpd counts them as accepted.
NOT_SHOWN = ("l3vpn-ipv4-flowspec", "vpls")
OUR_FAMILIES = (
    "ipv4 unicast; ipv6 unicast; ipv4 nlri-mpls; ipv6 nlri-mpls; ipv4 mpls-vpn; ipv6 mpls-vpn; ipv4 flow; ipv6 flow;"
    " ipv4 flow-vpn; l2vpn evpn; l2vpn vpls;"
)

HELPER = """\
#!{python}
import sys
answers = []
for line in {lines!r}:
    print(line, flush=True)
    answers.append(sys.stdin.readline().strip())
open({result!r}, "w").write(" ".join(answers))
sys.stdin.read()
"""


class Bench:
    """gobgpd with every family, and bgpbus announcing one route in each."""

    def __init__(self, directory: Path) -> None:
        require(GoBgp)
        self.directory = directory
        port, self.api = free_port(), free_port()
        toml = directory / "gobgpd.toml"
        toml.write_text(_gobgp(port))
        door = ["--api-hosts", f"127.0.0.1:{self.api}", "--pprof-disable"]
        self.router = Process([find_program("gobgpd"), "-f", toml, *door], directory / "gobgpd.log")
        helper = directory / "helper.py"
        lines = [command for command, _ in ROUTES.values()]
        helper.write_text(HELPER.format(python=sys.executable, lines=lines, result=str(directory / "answers")))
        helper.chmod(0o755)
        configuration = directory / "speaker.conf"
        configuration.write_text(
            f"process lab {{ run {helper}; encoder json; }}\n"
            "neighbor 127.0.0.2 { router-id 10.0.0.1; local-address 127.0.0.1; local-as 65001; peer-as 65001;\n"
            f"  connect {port}; family {{ {OUR_FAMILIES} }} api {{ processes [ lab ]; }} }}\n"
        )
        wait_for(lambda: "65001" in self.ask("global"), PATIENCE, "gobgpd to answer")
        self.speaker = start_speaker("bgpbus", configuration, directory, {})

    def ask(self, *words: str) -> str:
        return output_of([find_program("gobgp"), "-p", str(self.api), *words])

    def table(self, family: str) -> str:
        return self.ask("-j", "neighbor", "127.0.0.1", "adj-in", "-a", family)

    def stop(self) -> None:
        self.speaker.stop()
        self.router.stop()


def _gobgp(port: int) -> str:
    lines = ["[global.config]", "as = 65001", 'router-id = "10.0.0.2"', f"port = {port}"]
    lines += ['local-address-list = ["127.0.0.2"]', "[[neighbors]]", "[neighbors.config]"]
    lines += ['neighbor-address = "127.0.0.1"', "peer-as = 65001"]
    lines += ["[neighbors.transport.config]", 'local-address = "127.0.0.2"', "passive-mode = true"]
    for family in GOBGP_FAMILIES:
        lines += ["[[neighbors.afi-safis]]", "[neighbors.afi-safis.config]", f'afi-safi-name = "{family}"']
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def bench(place: Place) -> Iterator[Bench]:
    made = Bench(place())
    yield made
    made.stop()


def test_every_command_is_answered_done(bench: Bench) -> None:
    answers = bench.directory / "answers"
    words = wait_for(lambda: answers.read_text().split() if answers.exists() else None, PATIENCE, "all answers")
    assert set(words) == {"done"}


def test_gobgp_accepts_a_route_of_every_family(bench: Bench) -> None:
    def neighbor() -> str:
        return bench.ask("neighbor", "127.0.0.1")

    wait_for(lambda: re.search(rf"Accepted: +{len(ROUTES)}\n", neighbor()), PATIENCE, neighbor)


@pytest.mark.parametrize("family", [family for family in ROUTES if family not in NOT_SHOWN])
def test_gobgp_holds_the_route(bench: Bench, family: str) -> None:
    def held() -> Any:
        try:
            return json.loads(bench.table(family))
        except ValueError:
            return None

    table = wait_for(held, PATIENCE, lambda: f"{family}: {bench.table(family)} {bench.ask('neighbor', '127.0.0.1')}")
    text = json.dumps(table) + bench.ask("neighbor", "127.0.0.1", "adj-in", "-a", family)
    for word in ROUTES[family][1]:
        assert word in text
