"""Start each speaker on a configuration made for a workload."""

from __future__ import annotations

import compileall
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from tests.routers.bird import Bird
from tests.routers.gobgp import GoBgp
from tests.routers.process import MissingProgram, Process, find_program, output_of
from tests.routers.speaker import ROOT, exabgp_version, start_speaker

PROGRAMS = Path(__file__).with_name("programs")
LOCAL = "127.0.0.1"
AS = 65000


class Setup(Struct, frozen=True):
    """What a workload wants of a speaker: neighbors at 127.0.1.1 and on, a helper, routes from the start."""

    directory: Path
    port: int
    neighbors: int = 1
    family: str = "ipv4 unicast"
    helper: Sequence[str | Path] = ()
    receive: bool = False
    static: Iterable[str] = ()
    passive: bool = False
    api_port: int = 0  # of GoBGP

    def peers(self) -> list[str]:
        """Return the addresses of the neighbors."""
        return [f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(self.neighbors)]


def versions(kinds: Iterable[str]) -> dict[str, str]:
    """Return {kind: version} of those that are installed."""
    asks: dict[str, Callable[[], str]] = {
        "bgpbus": lambda: "this checkout",
        "exabgp": exabgp_version,
        "gobgp": GoBgp.version,
        "bird": Bird.version,
    }
    found = {}
    for kind in kinds:
        try:
            found[kind] = asks[kind]()
        except MissingProgram:
            continue
    return found


def compile_checkout() -> None:
    """Compile our modules, as pip did with ExaBGP's: with PYTHONDONTWRITEBYTECODE, each start would do it again."""
    for package in ("apid", "bgp", "bus", "peerd", "ribd"):
        compileall.compile_dir(ROOT / package, quiet=1)


def start(kind: str, setup: Setup) -> Process:
    """Start `kind` (`bgpbus`, `exabgp`, `gobgp` or `bird`), or `bare`, the way without a speaker."""
    if kind == "bare":
        return _start_bare(setup)
    if kind == "bird":
        return _start_bird(setup)
    if kind == "gobgp":
        return _start_gobgp(setup)
    configuration = setup.directory / "speaker.conf"
    configuration.write_text(_configuration(setup))
    (setup.directory / "run").mkdir(exist_ok=True)
    environment = {"exabgp_tcp_port": str(setup.port), "exabgp_log_level": "WARNING"}
    return start_speaker(kind, configuration, setup.directory, environment)


def held(kind: str, setup: Setup) -> int:
    """Ask BIRD or GoBGP how many routes it has in its table."""
    if kind == "bird":
        words = ["birdc", "-s", str(setup.directory / "bird.ctl"), "show", "route", "count"]
        pattern = r"(\d+) of \d+ routes"
    else:
        words = ["gobgp", "-p", str(setup.api_port), "global", "rib", "summary"]
        pattern = r"Destination: (\d+)"
    found = re.search(pattern, output_of([find_program(words[0]), *words[1:]]))
    return int(found[1]) if found else 0


def _configuration(setup: Setup) -> str:
    parts = []
    if setup.helper:
        words = " ".join(map(str, (sys.executable, "-S", "-E", *setup.helper)))
        parts.append(f"process bench {{\n  run {words};\n  encoder json;\n}}\n")
    static = "".join(f"    route {route};\n" for route in setup.static)
    for peer in setup.peers():
        parts.append(f"neighbor {peer} {{\n  router-id 10.0.0.1;\n  local-address {LOCAL};\n")
        reach = f"passive true;\n  listen {setup.port}" if setup.passive else f"connect {setup.port}"
        parts.append(f"  local-as {AS};\n  peer-as {AS};\n  {reach};\n  family {{ {setup.family}; }}\n")
        if setup.helper:
            receive = " receive { parsed; update; }" if setup.receive else ""
            parts.append(f"  api {{ processes [ bench ];{receive} }}\n")
        parts.append(f"  static {{\n{static}  }}\n}}\n" if static else "}\n")
    return "".join(parts)


def _start_bare(setup: Setup) -> Process:
    words: list[str | Path] = [sys.executable, "-m", "tools.bench.bare", "bridge", setup.directory, str(setup.port)]
    words += [sys.executable, "-S", "-E", *setup.helper]
    return Process(words, setup.directory / "speaker.log", directory=ROOT, death_signal="TERM")


def _start_bird(setup: Setup) -> Process:
    routes = "".join(f"  route {route.split()[0]} blackhole;\n" for route in setup.static)
    parts = ["router id 10.0.0.1;\nprotocol device {}\n", f"protocol static own {{ ipv4;\n{routes}}}\n"]
    take = "all" if setup.receive else "none"
    for number, peer in enumerate(setup.peers()):
        parts.append(
            f"protocol bgp peer{number} {{ local {LOCAL} as {AS}; neighbor {peer} port {setup.port} as {AS}; multihop;"
            " strict bind on; connect delay time 0;"
            f" ipv4 {{ import {take}; export all; next hop address 192.0.2.1; }}; }}\n"
        )
    configuration = setup.directory / "bird.conf"
    configuration.write_text("".join(parts))
    arguments: list[str | Path] = [find_program("bird"), "-f", "-c", configuration, "-s", setup.directory / "bird.ctl"]
    return Process([*arguments, "-P", setup.directory / "bird.pid"], setup.directory / "speaker.log")


def _start_gobgp(setup: Setup) -> Process:
    """Start gobgpd as the passive side: it waits some seconds before it dials."""
    lines = ["[global.config]", f"as = {AS}", 'router-id = "10.0.0.1"', f"port = {setup.port}"]
    lines.append(f'local-address-list = ["{LOCAL}"]')
    for peer in setup.peers():
        lines += ["[[neighbors]]", "[neighbors.config]", f'neighbor-address = "{peer}"', f"peer-as = {AS}"]
        lines += ["[neighbors.transport.config]", "passive-mode = true"]
    configuration = setup.directory / "gobgpd.toml"
    configuration.write_text("\n".join(lines) + "\n")
    door = ["--api-hosts", f"127.0.0.1:{setup.api_port}", "--pprof-disable", "-l", "warn"]
    return Process([find_program("gobgpd"), "-f", configuration, *door], setup.directory / "speaker.log")
