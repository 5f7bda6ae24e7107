"""Run cases with one speaker: a neighbor for each case, one helper for all of them."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct, field

from tests.routers.process import Process
from tests.routers.speaker import start_speaker
from tools.differential.peer import Connection, Peers, Say

PROGRAM = Path(__file__).with_name("program.py")
QUIET = 1.0  # seconds without a message after which no more is expected
CONNECT_SECONDS = 60.0


class Case(Struct, frozen=True):
    """A neighbor and what is done to it.

    body: statements of the neighbor beside addresses, AS numbers and `api`. commands: what the helper says, without
    the `neighbor` selector; one that begins with `!` is said as it is. peer_as: of the peer, None where it is ours.
    capabilities: added to the peer's OPEN. says: what the peer sends. raw: the neighbor has these statements alone.
    """

    name: str
    body: str = ""
    commands: tuple[str, ...] = ()
    local_as: int = 65001
    peer_as: int = 65001
    capabilities: bytes = b""
    says: tuple[Say, ...] = ()
    api: str = ""
    raw: bool = False


class Result(Struct):
    """What a speaker did: for each case the connections, and all that the helper read, by command."""

    connections: dict[str, list[Connection]]
    lines: list[str]
    log: str


class Plan(Struct, frozen=True):
    """A run: cases, and what is changed while it goes on.

    encoder: of the helper. after: called with the configuration file's path and the process, once quiet.
    quiet: seconds without a message that end the run. once: commands said before those of the cases.
    """

    cases: Sequence[Case]
    encoder: str = "text"
    quiet: float = QUIET
    environment: dict[str, str] = field(default_factory=dict)
    reload: Sequence[Case] = ()
    signal: int = signal.SIGUSR1
    head: str = ""
    finish: Callable[[Process], None] | None = None


def address(number: int) -> str:
    """Return the address of a case."""
    return f"127.0.1.{number + 1}"


def configuration(cases: Sequence[Case], directory: Path, encoder: str, head: str = "") -> str:
    """Write the configuration file of these cases."""
    helper = f"{sys.executable} -S -E {PROGRAM} {directory}"
    parts = [head, f"process differential {{\n  run {helper};\n  encoder {encoder};\n}}\n"]
    for number, case in enumerate(cases):
        own = "" if case.raw else f"  router-id 10.0.0.1;\n  local-address 127.0.0.1;\n  local-as {case.local_as};\n"
        own += "" if case.raw else f"  peer-as {case.peer_as};\n"
        api = f"  api {{ processes [ differential ]; {case.api} }}\n"
        body = "".join(f"  {line}\n" for line in case.body.strip().splitlines())
        parts.append(f"neighbor {address(number)} {{\n{own}{body}{api}}}\n")
    return "".join(parts)


def commands_of(cases: Sequence[Case]) -> list[str]:
    """Return the lines of the helper."""
    lines = ["@go"]
    for number, case in enumerate(cases):
        for command in case.commands:
            if command.startswith("!"):
                lines.append(command[1:])
            elif command.startswith("@"):
                lines.append(command)
            else:
                lines.append(f"neighbor {address(number)} {command}")
    return lines


def run(kind: str, plan: Plan, port: int) -> Result:
    """Run `bgpbus` or `exabgp`; raises TimeoutError where a case never had a session."""
    directory = Path(tempfile.mkdtemp(prefix="bd", dir="/tmp"))
    file = directory / "speaker.conf"
    file.write_text(configuration(plan.cases, directory, plan.encoder, plan.head))
    (directory / "commands").write_text("".join(f"{line}\n" for line in commands_of(plan.cases)))
    (directory / "lines").touch()
    peers = Peers(
        port,
        {
            address(number): (case.peer_as if case.peer_as != case.local_as else None, case.capabilities, case.says)
            for number, case in enumerate(plan.cases)
        },
    )
    environment = {"exabgp_tcp_port": str(port), "exabgp_log_level": "WARNING", **plan.environment}
    process = start_speaker(kind, file, directory, environment)
    try:
        _wait(lambda: peers.up, CONNECT_SECONDS, process, f"{kind}: sessions")
        _settle(peers, plan.quiet)
        peers.begin()
        (directory / "go").touch()
        _wait((directory / "finished").exists, 120, process, f"{kind}: end of commands")
        peers.wait_until_said()
        _settle(peers, plan.quiet)
        if plan.reload:
            file.write_text(configuration(plan.reload, directory, plan.encoder, plan.head))
            os.kill(process.pid, plan.signal)
            peers.changed = time.monotonic()
            _settle(peers, plan.quiet + 1)
        if plan.finish is not None:
            plan.finish(process)
            peers.changed = time.monotonic()
            _settle(peers, plan.quiet + 1)
        seen = {
            case.name: [Connection(list(each.messages), each.closed) for each in peers.seen[address(number)]]
            for number, case in enumerate(plan.cases)
        }
    finally:
        peers_log = process.tail(40)
        process.stop(10)
        peers.close()
    lines = (directory / "lines").read_text().splitlines()
    if not os.environ.get("BGPBUS_KEEP"):
        shutil.rmtree(directory, ignore_errors=True)
    return Result(seen, lines, peers_log)


def _settle(peers: Peers, quiet: float) -> None:
    end = time.monotonic() + 60
    while time.monotonic() - peers.changed < quiet and time.monotonic() < end:
        time.sleep(0.05)


def _wait(condition: Callable[[], bool], seconds: float, process: Process, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end or not process.running():
            raise TimeoutError(f"{what} not there after {seconds:g} s\n{process.tail(20)}")
        time.sleep(0.05)
