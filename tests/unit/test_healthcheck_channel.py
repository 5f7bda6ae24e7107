"""The health check's stdin and stdout: commands out, answers in, and no waiting for either."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from select import POLLERR

import pytest

from apid.healthcheck.channel import PATIENCE, Channel
from apid.healthcheck.waiting import READ, WRITE


class FakeWaiter:
    """A waiter whose time the test sets, and which serves every descriptor when told to."""

    def __init__(self) -> None:
        self.time = 0.0
        self.watched: dict[int, tuple[int, Callable[[int], None]]] = {}

    def now(self) -> float:
        return self.time

    def watch(self, descriptor: int, events: int, handler: Callable[[int], None]) -> None:
        self.watched[descriptor] = (events, handler)

    def forget(self, descriptor: int) -> None:
        self.watched.pop(descriptor, None)

    def serve(self, descriptor: int, events: int | None = None) -> None:
        wanted, handler = self.watched[descriptor]
        handler(wanted if events is None else events)


class Daemon:
    """The other ends of the pipes."""

    def __init__(self, acknowledged: bool = True) -> None:
        self.waiter = FakeWaiter()
        self.refused: list[str] = []
        self.stdin, self._answers = os.pipe()
        self._commands, self.stdout = os.pipe()
        os.set_blocking(self.stdout, False)
        self.channel = Channel(self.waiter, self.stdin, self.stdout, acknowledged, self.refused.append)  # type: ignore[arg-type]

    def answer(self, text: str) -> None:
        os.write(self._answers, text.encode())
        self.waiter.serve(self.stdin)

    def read(self) -> str:
        while self.waiter.watched[self.stdout][0] == WRITE:
            self.waiter.serve(self.stdout)
        return os.read(self._commands, 1 << 20).decode()

    def end_answers(self) -> None:
        os.close(self._answers)
        self._answers = -1
        self.waiter.serve(self.stdin)

    def close(self) -> None:
        for descriptor in (self.stdin, self._answers, self._commands, self.stdout):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    made = Daemon()
    yield made
    made.close()


def test_commands_are_written_and_settled_when_answered(daemon: Daemon) -> None:
    daemon.channel.send(["one", "two"])
    assert not daemon.channel.settled()
    assert daemon.read() == "one\ntwo\n"
    daemon.answer("do")
    assert not daemon.channel.settled()
    daemon.answer("ne\r\ndone\n")
    assert daemon.channel.settled()
    assert daemon.refused == []


def test_an_error_names_the_command_that_it_answers(daemon: Daemon) -> None:
    daemon.channel.send(["one", "two", "three"])
    daemon.read()
    daemon.answer("done\nsome event for us\nerror\ndone\n")
    assert daemon.refused == ["two"]
    assert daemon.channel.settled()


def test_the_end_of_stdin_ends_waiting_for_answers_but_not_the_commands(daemon: Daemon) -> None:
    daemon.channel.send(["one"])
    daemon.read()
    daemon.end_answers()
    assert daemon.channel.settled()
    daemon.channel.send(["two"])
    assert daemon.read() == "two\n"
    assert daemon.channel.settled()
    assert not daemon.channel.gone


@pytest.mark.parametrize(
    "line",
    [
        "shutdown 12 34",
        "shutdown",
        '{ "exabgp": "5.0.0", "type": "notification", "notification": "shutdown" }',
        '{"exabgp":"5.0.0","type":"notification","notification":"shutdown"}',
    ],
)
def test_a_daemon_that_is_about_to_end_is_not_waited_for(daemon: Daemon, line: str) -> None:
    daemon.channel.send(["one"])
    daemon.read()
    daemon.answer(f"{line}\n")
    assert daemon.channel.closing
    assert daemon.channel.settled()


def test_a_daemon_that_never_answers_is_noticed_and_not_waited_for(daemon: Daemon) -> None:
    daemon.channel.send(["one"])
    daemon.read()
    daemon.waiter.time = PATIENCE + 1
    assert not daemon.channel.silent
    daemon.channel.send(["two"])
    daemon.read()
    assert daemon.channel.silent
    assert daemon.channel.settled()


def test_without_acknowledgements_answers_are_read_and_ignored() -> None:
    daemon = Daemon(acknowledged=False)
    daemon.channel.send(["one"])
    assert not daemon.channel.settled()
    daemon.read()
    assert daemon.channel.settled()
    assert daemon.waiter.watched[daemon.stdin][0] == READ
    daemon.answer("done\n")
    daemon.close()


def test_more_than_the_pipe_takes_waits_for_its_reader(daemon: Daemon) -> None:
    commands = [f"command {number}" for number in range(20_000)]
    daemon.channel.send(commands)
    for _ in range(40):
        daemon.waiter.serve(daemon.stdout)
    assert not daemon.channel.settled()
    received = ""
    while received.count("\n") < len(commands):
        for _ in range(16):
            daemon.waiter.serve(daemon.stdout)
        received += os.read(daemon._commands, 1 << 20).decode()
    assert received.splitlines() == commands


def test_what_is_said_again_while_nobody_reads_is_queued_once(daemon: Daemon) -> None:
    commands = [f"command {number}" for number in range(20_000)]
    for _ in range(3):
        daemon.channel.send(commands)
        daemon.waiter.serve(daemon.stdout)
    daemon.channel.send(["another"])
    daemon.channel.send(commands[:1])
    received = ""
    while daemon.waiter.watched[daemon.stdout][0] == WRITE:
        daemon.waiter.serve(daemon.stdout)
        received += os.read(daemon._commands, 1 << 20).decode()
    assert received.splitlines() == [*commands, "another", *commands[:1]]
    for _ in range(len(commands) + 2):
        daemon.answer("done\n")
    assert daemon.channel.settled()


def test_a_reader_that_is_gone_is_noticed_without_writing(daemon: Daemon) -> None:
    daemon.waiter.serve(daemon.stdout, POLLERR)
    assert daemon.channel.gone
    daemon.channel.send(["one"])
    assert daemon.channel.settled()
