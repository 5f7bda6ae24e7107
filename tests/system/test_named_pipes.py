"""ExaBGP's named pipes: scripts that write a command into the one and read the other go on working."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.conftest import require
from tests.routers.exabgp import ExaBgp
from tests.routers.process import PATIENCE, wait_for
from tests.routers.speaker import find_exabgp
from tests.system.bed import Daemon, announce, neighbor, prefix, route
from tests.system.peer import Peer

NAME = "pipes-of-a-test"
SCRIPT = """
echo "$1" > {0}.in
while read -r line; do
    echo "$line"
    case "$line" in done|error) break;; esac
done < {0}.out
"""


class Script:
    """The two pipes, and the shell that drives them."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory / "root" / "run" / "exabgp"
        self.folder.mkdir(parents=True)
        self.base = self.folder / NAME
        for suffix in ("in", "out"):
            os.mkfifo(f"{self.base}.{suffix}", 0o600)
        self.environment = {"EXABGP_ROOT": str(directory / "root"), "exabgp_api_pipename": NAME}

    def ask(self, command: str, seconds: float = PATIENCE) -> list[str]:
        """Have a shell script ask, and return the lines that it read."""
        done = subprocess.run(
            ["sh", "-c", SCRIPT.format(self.base), "sh", command],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
        return done.stdout.splitlines()


@pytest.fixture
def script(directory: Path) -> Script:
    return Script(directory)


@pytest.fixture
def started(start: Callable[..., Daemon], make_peer: Callable[..., Peer], script: Script) -> tuple[Daemon, Peer]:
    peer = make_peer()
    daemon = start(neighbor(peer), **script.environment)
    peer.established()
    wait_for(lambda: f"commands={script.base}.in" in daemon.log.read_text(), PATIENCE, "the pipes to be served")
    return daemon, peer


def test_a_script_commands_and_asks(started: tuple[Daemon, Peer], script: Script) -> None:
    _, peer = started
    assert script.ask(announce(1).strip()) == ["done"]
    peer.has({route(1)})
    assert script.ask("announce route 10.0.0.0/33 next-hop self") == ["error"]
    *lines, last = script.ask("show adj-rib out")
    assert [prefix(1) in line for line in lines] == [True]
    assert last == "done"
    assert script.ask("show neighbor summary")[1].split()[0] == peer.address


def test_commands_that_come_together_are_answered_in_their_order(started: tuple[Daemon, Peer], script: Script) -> None:
    _, peer = started
    reader = subprocess.Popen(["head", "-n", "300", f"{script.base}.out"], stdout=subprocess.PIPE, text=True)
    lines = "".join("bogus\n" if number % 3 == 2 else announce(number) for number in range(300))
    Path(f"{script.base}.in").write_text(lines)
    said, _ = reader.communicate(timeout=PATIENCE)
    assert said.split() == ["done", "done", "error"] * 100
    peer.has({route(number) for number in range(300) if number % 3 != 2})


def test_who_never_reads_holds_up_nobody(started: tuple[Daemon, Peer], script: Script) -> None:
    daemon, peer = started
    for number in range(20):
        Path(f"{script.base}.in").write_text(announce(number))
    peer.has({route(number) for number in range(20)})
    assert "established" in daemon.ask("show", "neighbor", "summary")
    wait_for(
        lambda: "answers that nobody read are dropped" in daemon.log.read_text(), PATIENCE, "the answers to be dropped"
    )
    assert script.ask("version")[-1] == "done"


def test_a_reader_that_stands_still_holds_up_nobody(started: tuple[Daemon, Peer], script: Script) -> None:
    daemon, peer = started
    daemon.ask("announce", "attributes", "next-hop", "192.0.2.1", "nlri", *map(prefix, range(2000)))
    stuck = os.open(f"{script.base}.out", os.O_RDONLY | os.O_NONBLOCK)
    try:
        Path(f"{script.base}.in").write_text("show adj-rib out extensive\n" * 3)
        assert "established" in daemon.ask("show", "neighbor", "summary")
        wait_for(lambda: "are dropped" in daemon.log.read_text(), PATIENCE, "the answers to be dropped")
    finally:
        os.close(stuck)
    assert script.ask("version")[-1] == "done"
    assert len(peer.sessions) == 1


def test_a_second_daemon_leaves_the_pipes_to_the_first(
    started: tuple[Daemon, Peer], script: Script, tmp_path: Path, make_peer: Callable[..., Peer]
) -> None:
    other = Daemon(tmp_path, neighbor(make_peer()), script.environment).start()
    try:
        wait_for(lambda: "belongs to another daemon" in other.log.read_text(), PATIENCE, "the second to notice")
        assert script.ask("version")[-1] == "done"
    finally:
        other.clean_up()


def test_the_client_of_exabgp_finds_an_answer_in_them(started: tuple[Daemon, Peer], script: Script) -> None:
    """Where ExaBGP is installed: its own client, unchanged."""
    require(ExaBgp)
    folder = Path("/run/exabgp")
    folder.mkdir(exist_ok=True)
    links = [folder / f"{NAME}.{suffix}" for suffix in ("in", "out")]
    try:
        for link in links:
            link.symlink_to(f"{script.base}{link.suffix}")
        done = subprocess.run(
            [find_exabgp(), "cli", "--pipename", NAME, "show", "neighbor", "summary"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    finally:
        for link in links:
            link.unlink(missing_ok=True)
    assert started[1].address in done.stdout
