"""Kill processes again and again, at random moments, while a helper commands 2,000 times a second."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from apid.programs import Supervisor
from tests.faults.flow import Flow
from tests.routers.process import PATIENCE, process_fields, wait_for
from tests.system.bed import Daemon, neighbor, processes_with, route
from tests.system.peer import Peer

SUPERVISORD, HELPER, PEERD, TOGETHER = "supervisord", "the helper", "a peerd", "all but peerds together"
DAEMONS = ("ribd", "broker", "control", "helper-flow", "listener")
VICTIMS = (*DAEMONS, HELPER, TOGETHER, PEERD, SUPERVISORD)
SPREAD = 0.5  # seconds in which the moment of a kill lies, once the victim runs
API = "api { processes [ flow ]; }"
ADDRESSES = "127.24.1.{}"
WHOLE = 5.0  # seconds from a peer's accepting until it has its table, at most
DOWN = 8.0  # seconds for everything to end once supervisord is gone


class Kills(Struct):
    """What killing cost. All numbers but the commands and the times are to be zero."""

    kills: Counter[str] = field(default_factory=Counter)
    commands: int = 0
    dropped: int = 0  # sessions, but those of the peerd or supervisord that died
    unclosed: int = 0  # sessions that supervisord's death ended without NOTIFICATION
    lost: int = 0  # routes that were acknowledged
    back: int = 0  # routes that were withdrawn
    needless: int = 0  # announcements and withdrawals that told a peer nothing new
    unexpected: int = 0  # lines that the helper read and that are no `done`, or one too many
    orphans: int = 0
    twice: int = 0  # programs that ran twice
    late: int = 0  # tables that took longer than `WHOLE`
    longest_wait: float = 0.0  # of a command for its answer, while its helper lived
    slowest_table: float = 0.0  # from a peer's accepting until it had all, after the death of its peerd

    @property
    def harm(self) -> dict[str, int]:
        """What is not zero and should be."""
        counts = ("dropped", "unclosed", "lost", "back", "needless", "unexpected", "orphans", "twice", "late")
        return {name: value for name in counts if (value := getattr(self, name))}


class Bed:
    """A daemon with two peers that it dials, one that dials, and the flow of commands."""

    def __init__(self, directory: Path, port: int) -> None:
        self.flow = Flow(directory)
        self.dialled = [Peer(ADDRESSES.format(number), port).listen() for number in (1, 2)]
        self.passive, self.latecomer = (Peer(ADDRESSES.format(number), port) for number in (3, 4))
        listening = f"passive; listen {port};"
        text = self.flow.configuration()
        text += "".join(neighbor(peer, API) for peer in self.dialled)
        text += "".join(neighbor(peer, f"{API} {listening}") for peer in (self.passive, self.latecomer))
        self.daemon = Daemon(directory, text)
        self.port = port

    @property
    def watched(self) -> list[Peer]:
        """The peers whose sessions are compared with the commands."""
        return [*self.dialled, self.passive]

    def start(self) -> None:
        """Start, and wait until every session is up."""
        sessions = [len(established(peer)) for peer in self.watched]
        self.daemon.start()
        dial(self.passive, self.daemon)
        for peer, count in zip(self.watched, sessions, strict=True):
            peer.established(count + 1, PATIENCE)

    def close(self) -> None:
        """End everything."""
        self.daemon.clean_up()
        for peer in (*self.watched, self.latecomer):
            peer.stop()


def established(peer: Peer) -> list[object]:
    """Return the sessions of a peer that ever came up."""
    return [session for session in peer.sessions if session.established is not None]


def dial(peer: Peer, daemon: Daemon) -> None:
    """Connect as soon as somebody listens."""

    def attempt() -> bool:
        try:
            peer.dial("127.0.0.1", peer.port)
        except OSError:
            return False
        return True

    wait_for(attempt, PATIENCE, lambda: f"the listener; {daemon.tail()}")


def kill(directory: Path, times: Mapping[str, int], seed: int, port: int) -> Kills:
    """Kill each victim so often, in a random order; return what it cost. TimeoutError where something stays away."""
    chance = random.Random(f"{seed} {sorted(times.items())}")
    order = [victim for victim, count in times.items() for _ in range(count)]
    chance.shuffle(order)
    result, bed = Kills(), Bed(directory, port)
    try:
        bed.start()
        bed.flow.full(PATIENCE)
        for victim in order:
            time.sleep(chance.uniform(0, SPREAD))
            strike(bed, victim, result)
            result.kills[victim] += 1
            result.twice += count_twice(bed)
            result.orphans += count_orphans(bed)
        result.commands = bed.flow.stop()
        compare(bed, result)
        bed.daemon.stop(seconds=PATIENCE)
        result.orphans += len(processes_with(str(directory)))
    finally:
        bed.close()
    return result


def strike(bed: Bed, victim: str, result: Kills) -> None:
    """Kill a victim, and wait until all is as before."""
    if victim == HELPER:
        strike_helper(bed)
    elif victim == PEERD:
        strike_peerd(bed, result)
    elif victim == SUPERVISORD:
        strike_supervisord(bed, result)
    else:
        strike_daemons(bed, DAEMONS if victim == TOGETHER else (victim,))


def strike_daemons(bed: Bed, names: Sequence[str]) -> None:
    """Kill programs that hold no session; where the listener was among them, see that it accepts again."""
    pids = {name: running(bed.daemon, name) for name in names}
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    for name, pid in pids.items():
        running(bed.daemon, name, pid)
    if "listener" in names:
        count = len(established(bed.latecomer))
        dial(bed.latecomer, bed.daemon)
        session = bed.latecomer.established(count + 1, PATIENCE)
        whole(bed, bed.latecomer, bed.flow.answered, session.began)
        session.sock.shutdown(socket.SHUT_RDWR)


def strike_helper(bed: Bed) -> None:
    """Kill the helper, and wait until its bridge has started it again."""
    pid = helper_pid(bed)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: (found := helper_pid(bed)) != pid and found, PATIENCE, "the helper to start again")


def helper_pid(bed: Bed) -> int:
    """Return the process id of the helper, once it runs."""
    return wait_for(lambda: next(iter(processes_with(str(bed.flow.directory))), None), PATIENCE, "the helper to run")


def running(daemon: Daemon, name: str, former: int = 0) -> int:
    """Wait until supervisord takes a program for running, under another process id than before; return that."""

    def found() -> int | None:
        try:
            programs = Supervisor(daemon.run).processes()
        except OSError:
            return None
        each = next((each for each in programs if each["name"] == name), None)
        return each["pid"] if each and each["statename"] == "RUNNING" and each["pid"] != former else None

    return wait_for(found, PATIENCE, lambda: f"{name} to run; {daemon.tail()}", interval=0.1)


def strike_peerd(bed: Bed, result: Kills) -> None:
    """Kill the peerd of the first peer; its session comes back with its whole table, the others stay."""
    peer = bed.dialled[0]
    name = f"peerd-{peer.address}"
    count = len(established(peer))
    pid = running(bed.daemon, name)
    answered = bed.flow.answered
    os.kill(pid, signal.SIGKILL)
    session = peer.established(count + 1, PATIENCE)
    took = whole(bed, peer, answered, session.began)
    result.slowest_table = max(result.slowest_table, took)
    result.late += took > WHOLE
    running(bed.daemon, name, pid)


def whole(bed: Bed, peer: Peer, answered: int, began: float) -> float:
    """Wait until a peer has the table of a moment; return how long after `began` that was."""
    keys = bed.flow.standing(answered, bed.flow.said)

    def there() -> float:
        wanted = keys & bed.flow.standing(answered, bed.flow.said)
        table = {int.from_bytes(item[-3:], "big") for _, item in peer.session.table}
        return 0.0 if wanted - table else time.monotonic() - began

    return peer.wait(there, PATIENCE, f"the table at {peer.address}")


def strike_supervisord(bed: Bed, result: Kills) -> None:
    """Kill supervisord; everything ends, with a word to every peer, and a new start goes on from the journal."""
    daemon = bed.daemon
    sessions = [peer.session for peer in bed.watched]
    os.kill(int((daemon.run.path / "supervisord.pid").read_text()), signal.SIGKILL)
    deadline = time.monotonic() + DOWN
    while (left := processes_with(str(daemon.directory))) and time.monotonic() < deadline:
        time.sleep(0.05)
    result.orphans += len(left)
    assert daemon.process is not None
    daemon.process.wait(PATIENCE)
    for peer, session in zip(bed.watched, sessions, strict=True):
        peer.wait(lambda session=session: session.ended, PATIENCE, "the end of a session")  # type: ignore[misc]
        result.unclosed += session.notification is None or session.reset is not None
        result.back += len(session.table) == 0
    answered = bed.flow.answered
    bed.start()
    for peer in bed.watched:
        whole(bed, peer, answered, 0.0)
    unheard_of = [set(peer.session.withdrawn) - set(peer.session.announced) for peer in bed.watched]
    # What the helper withdraws again, because it died before the answer, is told again. It starts after the sessions,
    # maybe just now, and notes what it will repeat before it says it: so this is asked last.
    again = set(map(route, bed.flow.repeated()))
    result.needless += sum(len(keys - again) for keys in unheard_of)


def count_twice(bed: Bed) -> int:
    """Return how many processes have a program that another one has, which is not its parent."""
    seen: dict[bytes, int] = {}
    twice = 0
    for pid in sorted(processes_with(str(bed.daemon.run.path))):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        fields = process_fields(pid)
        other = seen.setdefault(line, pid)
        twice += other != pid and fields is not None and fields[0] != "Z" and int(fields[1]) != other
    return twice


def count_orphans(bed: Bed, seconds: float = 5.0) -> int:
    """Return how many processes have lost their parent and live on."""
    assert bed.daemon.process is not None
    runner = bed.daemon.process.pid

    def orphans() -> list[int]:
        ours = processes_with(str(bed.daemon.directory))
        fields = {pid: process_fields(pid) for pid in ours}
        return [pid for pid, each in fields.items() if pid != runner and each and int(each[1]) not in ours]

    deadline = time.monotonic() + seconds
    while (left := orphans()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return len(left)


def compare(bed: Bed, result: Kills) -> None:
    """Compare what every peer was told with what was commanded."""
    result.unexpected = len(bed.flow.unexpected())
    result.longest_wait = bed.flow.longest_wait
    for peer in bed.watched:
        restarts = result.kills[SUPERVISORD] + result.kills[PEERD] * (peer is bed.dialled[0])
        count = len(bed.flow.standing(result.commands, result.commands))
        peer.wait(lambda peer=peer, count=count: len(peer.session.table) == count, PATIENCE, "the last routes")  # type: ignore[misc]
        peer.quiet()
        result.dropped += len(established(peer)) - 1 - restarts + (peer.session.ended is not None)
        difference = bed.flow.difference(peer.session, result.commands, not restarts)
        result.lost += difference.lost
        result.back += difference.back
        result.needless += difference.needless
