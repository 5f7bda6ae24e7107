"""A reload of a broken configuration changes nothing, and says in which file and line it is broken."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from tests.routers.process import PATIENCE, free_port, wait_for
from tests.system.bed import Daemon, Helper, neighbor, route
from tests.system.peer import Peer

HUGE = 600 * 1024 * 1024  # octets
STATIC = "api { processes [ p ]; } static { route 10.0.0.1/32 next-hop 192.0.2.1; }"
SECOND = "neighbor 127.0.9.240 { router-id 1.1.1.1; local-as 1; peer-as 2; "

Break = Callable[[Path, str], bytes]  # from the file and a good text of 3 lines to what stands in the file


def after(line: str) -> Break:
    """Add a line, which is the fourth."""
    return lambda _file, good: f"{good}{line}\n".encode()


def inside(statement: str) -> Break:
    """Add a neighbor with a statement that is wrong, on line 4."""
    return after(f"{SECOND}{statement} }}")


def _unreadable(file: Path, good: str) -> bytes:
    (file.parent / "directory").mkdir(exist_ok=True)
    return f'{good}include "directory";\n'.encode()


def _loop(file: Path, good: str) -> bytes:
    (file.parent / "loop.conf").write_text(f'include "{file.name}";\n')
    return f'{good}include "loop.conf";\n'.encode()


def _part(file: Path, good: str) -> bytes:
    (file.parent / "part.conf").write_text("\n\nneighbor nowhere { local-as 1; }\n")
    return f'{good}include "part.conf";\n'.encode()


def _not_executable(file: Path, good: str) -> bytes:
    (file.parent / "program").write_text("#!/bin/sh\n")
    return f"{good}process q {{ run {file.parent}/program; }}\n".encode()


def _huge(file: Path, _good: str) -> bytes:
    with (file.parent / "huge.conf").open("wb") as sparse:
        sparse.truncate(HUGE)
    return b'\n\n\ninclude "huge.conf";\n'


class Case(Struct, frozen=True):
    """A way to break a file, the line that is told (0: the file as a whole), and a word of the reason."""

    name: str
    broken: Break
    line: int
    reason: str
    file: str = ""


CASES = [
    Case("a word that nobody knows", after("nonsense;"), 4, "nonsense"),
    Case("a section that nobody knows", after("group { }"), 4, "group"),
    Case("a section where it does not belong", after("template { process q { run /bin/cat; } }"), 4, "process"),
    Case("a section without a name", after("{ }"), 4, "name"),
    Case("a neighbor without an address", after("neighbor { local-as 1; }"), 4, "address"),
    Case("a semicolon missing", inside("hold-time 30\n"), 4, "';' expected"),
    Case("a string without an end", inside('description "open;'), 4, "closing"),
    Case("a section that is not closed", after(SECOND), 4, "no closing"),
    Case("a brace that closes nothing", after("}"), 4, "closes nothing"),
    Case("a neighbor that is there twice", lambda _f, good: (good + good.splitlines()[2]).encode(), 4, "twice"),
    Case("a process that is there twice", lambda _f, good: (good + good.splitlines()[0]).encode(), 4, "twice"),
    Case("no local-as", after("neighbor 127.0.9.240 { router-id 1.1.1.1; peer-as 2; }"), 4, "local-as"),
    Case("no router-id", after("neighbor ::1 { local-as 1; peer-as 2; }"), 4, "router-id"),
    Case("an address that is none", after("neighbor 300.1.1.1 { local-as 1; peer-as 2; }"), 4, "300.1.1.1"),
    Case("addresses of two families", inside("local-address ::1;"), 4, "family"),
    Case("a hold time out of range", inside("hold-time 2;"), 4, "range"),
    Case("an AS number out of range", inside("peer-as 4294967296;"), 4, "4294967296"),
    Case("a port out of range", inside("connect 65536;"), 4, "range"),
    Case("a boolean that is none", inside("passive yes;"), 4, "yes"),
    Case("a family that is none", inside("family { ipv4 unicorn; }"), 4, "unicorn"),
    Case("a route of another family", inside("family { ipv4 flow; } static { route ::/0 next-hop ::1; }"), 4, "family"),
    Case("a prefix with host bits", inside("static { route 10.0.0.1/24 next-hop 10.0.0.1; }"), 4, "10.0.0.1/24"),
    Case("a prefix that is too long", inside("static { route 10.0.0.1/33 next-hop 10.0.0.1; }"), 4, "33"),
    Case("a community out of range", inside("static { route ::/0 next-hop self community 70000:1; }"), 4, "70000"),
    Case("a route without next hop", inside("static { route 10.0.0.0/24; }"), 4, "next-hop"),
    Case("a helper that is not there", after("process q { run /nowhere/at/all; encoder json; }"), 4, "/nowhere/at/all"),
    Case("a helper that cannot be executed", _not_executable, 4, "execut"),
    Case("a helper without program", after("process q { encoder json; }"), 4, "run"),
    Case("an encoder that is none", after("process q { run /bin/cat; encoder xml; }"), 4, "xml"),
    Case("a helper that is not defined", inside("api { processes [ nobody ]; }"), 4, "nobody"),
    Case("a template that is not defined", inside("inherit nothing;"), 4, "nothing"),
    Case("a range that is not passive", after("neighbor 127.8.0.0/16 { local-as 1; peer-as 2; }"), 4, "passive"),
    Case("an MD5 password that is too long", inside(f"md5-password {'x' * 81};"), 4, "80"),
    Case("a variable that is not set", inside("description ${BGPBUS_NOT_SET};"), 4, "BGPBUS_NOT_SET"),
    Case("a file that is not there", after('include "nothing.conf";'), 4, "nothing.conf"),
    Case("a file that cannot be read", _unreadable, 4, "directory"),
    Case("a file that includes itself", _loop, 1, "includes itself", "loop.conf"),
    Case("an error in a file that is included", _part, 3, "nowhere", "part.conf"),
    Case("a file that is too large", _huge, 4, "larger than"),
    Case("another encoding", lambda _f, good: good.encode("utf-16"), 1, "UTF-8"),
    Case("an octet that is not UTF-8", lambda _f, good: good.encode() + b"# caf\xe9\n", 4, "UTF-8"),
    Case("NULs", lambda _f, good: good.encode() + bytes(100), 4, ""),
    Case("nothing", lambda _f, _good: b"", 0, "no configuration"),
    Case("a comment only", lambda _f, _good: b"# later\n", 0, "no configuration"),
]  # fmt: skip


class Bed:
    """One running product with a session and a helper, for all cases."""

    def __init__(self, directory: Path) -> None:
        self.helper, self.peer = Helper(directory, "p"), Peer("127.0.9.241", free_port()).listen()
        self.good = self.helper.configuration() + "\n" + neighbor(self.peer, STATIC)
        self.daemon = Daemon(directory, self.good).start()
        self.peer.established()
        self.peer.has({route(1)})
        self.peer.quiet()
        self.daemon.logs("control ready")
        wait_for(self.daemon.run.applied.exists, PATIENCE, self.daemon.tail)
        self.moment = time.monotonic()
        self.generation = self.daemon.run.applied.read_bytes()
        self.settings = self.files()

    def files(self) -> dict[str, bytes]:
        """Return all that the other processes are told."""
        run = self.daemon.run
        return {
            path.name: path.read_bytes() for path in itertools.chain(run.settings.iterdir(), run.programs.iterdir())
        }

    def refusals(self) -> list[str]:
        """Return what the log says of refused reloads."""
        return re.findall(r"reload refused: (.*)", self.daemon.log.read_text(errors="replace"))

    def logged_twice(self, before: int) -> list[str]:
        """Wait until the log says the same twice, in one line or more, after so many refusals; return what it says."""

        def said() -> list[str] | None:
            lines = self.refusals()[before:]
            half = lines[: len(lines) // 2]
            return half if lines == half * 2 else None

        return wait_for(said, PATIENCE, lambda: f"the same refusal twice in the log{self.daemon.tail()}")

    def close(self) -> None:
        """End everything."""
        self.daemon.clean_up()
        self.peer.stop()
        self.helper.close()


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    directory = Path(tempfile.mkdtemp(prefix="bs", dir="/tmp"))
    made = Bed(directory)
    yield made
    made.close()
    if not os.environ.get("BGPBUS_KEEP"):
        shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_configuration_changes_nothing_and_says_where(bed: Bed, case: Case) -> None:
    file, process = bed.daemon.file, bed.daemon.process
    assert process is not None
    before = len(bed.refusals())
    file.write_bytes(case.broken(file, bed.good))
    bed.helper.say("reload\n")
    assert bed.helper.answers(2) == ["reload in progress", "error"]
    process.signal(signal.SIGUSR1)
    told = bed.logged_twice(before)
    place = f"{file.parent / (case.file or file.name)}" + (f":{case.line}:" if case.line else ":")
    assert any(line.startswith(place) and case.reason in line for line in told), told
    assert bed.daemon.run.applied.read_bytes() == bed.generation
    assert not bed.daemon.run.pending.exists()
    assert bed.files() == bed.settings


def test_after_all_of_them_no_session_has_noticed_and_a_good_one_is_in_force_at_once(bed: Bed) -> None:
    bed.peer.quiet()
    assert len(bed.peer.sessions) == 1
    assert bed.peer.session.ended is None
    assert bed.peer.session.updates_since(bed.moment) == []
    bed.daemon.file.write_text(bed.good.replace("10.0.0.1/32", "10.0.0.2/32"))
    bed.daemon.ask("reload", seconds=60)
    bed.peer.has({route(2)})
