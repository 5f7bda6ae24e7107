"""The bridge of one helper, put together: process, commands, feeds, queue, and the daemons it talks to."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from functools import partial
from pathlib import Path
from typing import Any

from apid import VERSION
from apid.answer_lines import AnswerLines
from apid.bridge.commands import Commands
from apid.bridge.feeds import Feeds, helper_renderer
from apid.bridge.output import Output
from apid.bridge.process import HelperProcess
from apid.bridge.targets import Targets
from apid.render.envelope import NeighborContext, ProcessContext
from apid.riblink import RibLink
from apid.signals import REQUESTS
from bus.daemon import (
    EXIT_CONFIGURATION,
    AlreadyRunning,
    RunDirectory,
    collect_garbage_rarely,
    die_with_parent,
    new_epoch,
    one_line,
    parent_of_ours,
    start_logging,
    take_lock,
)
from bus.loop import Loop
from bus.schema import Answer, Applied, Command, Message, Present, Reconfigure, Refused, SchemaError, Signalled
from bus.settings import read_helper
from bus.transport import Client, Publisher

FLOOD_OCTETS, FLOOD_SECONDS = 16 * 1024 * 1024, 10.0  # of commands in so many seconds make a flood
WRITE_TURNS = 16  # chunks written in one turn of the loop
STOP_SECONDS = 3.0
DOWN_SECONDS, DOWN_LOOK = 1.0, 0.02  # seconds: for the ends of sessions to arrive, and between looks for them
CONFIGURED_SECONDS = 5.0  # for the configuration to be in force before the helper starts without it
FIRST_WORDS = 0.02  # seconds from its start in which a shell script says something, and Python does not
TAKEN, TAKEN_LOOK = 0.05, 0.002  # seconds: for ribd to take it before sessions are sent routes, and between looks
ATTEMPTS_SECONDS = 5.0  # for the sessions to be sent their routes, or to fail, before the helper is listened to again
SILENCE = 1.0  # seconds without a command, after which a helper has announced what it had to at its start
STDERR_LINES = 500  # of a helper's stderr, logged in a second; more are counted
ABOUT_NEIGHBORS: dict[str, Any] = {"bindings": [], "subscription": {}}  # changes without a new start
NOBODY = NeighborContext("", "", 0, 0, "")  # the neighbor of notices about the daemon itself


class Bridge:
    """One helper and everything that it is connected to."""

    def __init__(self, loop: Loop, run: RunDirectory, program: str, epoch: str, log: logging.Logger) -> None:
        self._loop, self._run, self._program, self._epoch, self._log = loop, run, program, epoch, log
        self._helper, bindings = read_helper(run.settings / program)
        self._name = self._helper.name
        self._context = ProcessContext(socket.gethostname(), os.getpid(), os.getppid())
        self._notices = helper_renderer(NOBODY, self._context, self._helper)
        self._publisher = Publisher(loop, run.events_in, program, epoch)
        self._output = self._new_output()
        self._begun = self._listening = self._stopping = False
        self._request = 0
        self._asked: Command | None = None
        self._signals: list[int] = []  # for the daemon, that control has not been told of yet
        self._lines = AnswerLines()
        self._half_answered = False  # lines of its answer have come
        self._was_losing = self._unheeded = False
        self._held_back = False  # control and the helper, because too many answers wait
        self._read, self._read_since, self._flooded = 0, 0.0, False
        self._stderr_at, self._stderr_count = 0.0, 0

        self._rib_client = Client(loop, run.ribd, self._from_ribd, self._ribd_connected, self._bad)
        self._rib = RibLink(program, epoch, self._rib_client.send)
        self._control = Client(loop, run.control, self._from_control, self._control_connected, self._bad)
        self._targets = Targets()
        self._targets.configure(bindings)
        self._commands = Commands(
            self._rib, self._targets, self._answer, self._ask_control, log, VERSION, self._helper.acknowledge
        )
        self._feeds = Feeds(loop, run, self._events, self._lost, lambda: bool(self._output.lost), self._listen, log)
        self._feeds.configure(self._helper, bindings, self._context)
        self._process = HelperProcess(loop, self._helper, self)

    def start(self) -> None:
        """Start the helper, once ribd has the configuration.

        ExaBGP starts its helpers just before its sessions: what one says at once is among the first routes that a peer
        is sent, and what it says later follows their End-of-RIB. So the first routes wait for the helper's first words.
        """
        self._loop.on_signal(signal.SIGCHLD, lambda: self._process.check())
        self._rib.apply([], [], lambda _reason: self._begin(), after_configuration=True)
        self._loop.call_later(CONFIGURED_SECONDS, self._begin)

    def _begin(self) -> None:
        if not (self._begun or self._stopping):
            self._process.start()
            self._await_first_words()

    def _await_first_words(self) -> None:
        if not self._begun:
            self._begun = True
            self._loop.call_later(FIRST_WORDS, self._end_first_words)

    def _end_first_words(self) -> None:
        """Hold what the helper says from now on, until its sessions have been sent the routes that there are."""
        self._commands.hold(True)
        self._throttle()
        self._release_routes(self._loop.now() + TAKEN)

    def _release_routes(self, deadline: float) -> None:
        """Have the sessions send routes when ribd has taken what the helper said."""
        if not self._rib.idle and self._loop.now() < deadline:
            self._loop.call_later(TAKEN_LOOK, lambda: self._release_routes(deadline))
            return
        self._loop.call_later(ATTEMPTS_SECONDS, self._listen)
        self._feeds.spoken()

    def _listen(self) -> None:
        """Go on with what the helper says: its sessions have been sent their first routes, or have failed."""
        if self._listening:
            return
        self._listening = True
        self._commands.hold(False)
        self._work()
        count = self._commands.count
        self._loop.call_later(SILENCE, lambda: self._look(count))

    # The helper's life

    def helper_started(self, pid: int) -> None:
        """Tell, and give it what happened before."""
        self._log.info("helper started pid=%d run=%s", pid, one_line(" ".join(self._helper.run)))
        self._tell("started", {"pid": pid})
        self.helper_writable()

    def helper_exited(self, status: int) -> None:
        """Forget what was its own."""
        self._log.warning("helper exited status=%d", status)
        self._tell("exited", {"status": status})
        self._commands.reset()
        self._output = self._new_output()
        self._was_losing = False
        self._flooded = self._unheeded = False
        self._hold_back()
        if self._stopping:
            self._loop.stop()
        elif self._helper.terminate and not self._process.told:
            self._log.error("the daemon ends with its helper: exabgp.api.terminate is set")
            self._ask_control("shutdown")

    def _new_output(self) -> Output:
        helper = self._helper
        return Output(
            self._run.path,
            lambda count: self._notices.lost(time.time(), count),
            helper.event_memory,
            helper.event_spool,
        )

    def _tell(self, state: str, details: dict[str, object]) -> None:
        self._publisher.publish(f"helper/{self._name}", {"state": state, **details})
        self._present()

    def helper_complained(self, line: str) -> None:
        """Log what it says on stderr, a bounded number of lines a second."""
        now = self._loop.now()
        if now - self._stderr_at >= 1.0:
            if self._stderr_count > STDERR_LINES:
                self._log.warning("helper stderr: lines not logged count=%d", self._stderr_count - STDERR_LINES)
            self._stderr_at, self._stderr_count = now, 0
        self._stderr_count += 1
        if self._stderr_count <= STDERR_LINES:
            self._log.info("helper stderr: %s", line)

    def helper_closed(self, name: str) -> None:
        """Log what that means."""
        said = "it can give no more commands" if name == "stdout" else "it gets no more answers and events"
        self._log.warning("helper closed its %s, %s", name, said)

    def helper_killed(self, why: str) -> None:
        """Log it."""
        self._log.warning("helper is killed, with all that it started: %s", why)

    def _look(self, before: int) -> None:
        """Notice that the helper has announced what it had to at its start: it has spoken, and is silent now."""
        count = self._commands.count
        if count and count == before and self._rib.idle and not self._commands.busy:
            self._feeds.settled()
        else:
            self._loop.call_later(SILENCE, lambda: self._look(count))

    def stop(self) -> None:
        """Tell the helper that the daemon ends, then end it and the loop."""
        if not self._stopping:
            self._stopping = True
            self._end(self._loop.now() + DOWN_SECONDS)

    def _end(self, deadline: float) -> None:
        """Wait for the ends of the sessions, which end when we do, so that the helper hears of them."""
        if self._process.pid and self._feeds.up and self._loop.now() < deadline:
            self._loop.call_later(DOWN_LOOK, lambda: self._end(deadline))
            return
        self._events([self._notices.shutdown(time.time())])
        if not self._process.pid:
            self._loop.stop()
            return
        self._process.stop()
        self._loop.call_later(STOP_SECONDS, self._loop.stop)

    # Commands

    def helper_readable(self) -> None:
        """Take commands."""
        octets = self._process.read()
        if octets:
            self._commands.feed(octets, self._loop.now())
            self._note_flood(len(octets))
            self._throttle()

    def _note_flood(self, octets: int) -> None:
        """Log, once in a helper's life, that it writes more than anybody can need."""
        now = self._loop.now()
        if now - self._read_since > FLOOD_SECONDS:
            self._read, self._read_since = 0, now
        self._read += octets
        if self._read > FLOOD_OCTETS and not self._flooded:
            self._flooded = True
            self._log.warning("helper floods, its pipe pushes back: it is read as fast as ribd takes commands")

    def _throttle(self) -> None:
        self._process.pause_reading(self._commands.busy or self._held_back)

    def _work(self) -> None:
        self._commands.work(self._loop.now())
        self._throttle()

    def _from_ribd(self, message: Message) -> None:
        if isinstance(message, Applied | Refused):
            self._rib.answered(message)
            self._work()
        else:
            self._bad(f"{type(message).__name__} is not for a bridge")

    def _ribd_connected(self) -> None:
        self._rib.connected()

    def _ask_control(self, line: str) -> None:
        self._request += 1
        self._asked = Command(self._request, self._name, line, self._epoch)
        self._lines, self._half_answered = AnswerLines(), False
        self._control.send(self._asked)

    def signalled(self, number: int) -> None:
        """Take a signal for the daemon, which in ExaBGP is a helper's parent: some tell it to reload. No answer."""
        self._log.info("signal taken for the daemon request=%s", REQUESTS[number])
        self._signals = [*(each for each in self._signals if each != number), number]
        self._pass_signals_on()

    def _pass_signals_on(self) -> None:
        while self._signals and self._control.send(Signalled(self._signals[0])):
            self._request += 1
            self._control.send(Command(self._request, "", REQUESTS[self._signals.pop(0)]))

    def _control_connected(self) -> None:
        self._present()
        self._pass_signals_on()
        if self._asked is None:
            return
        if self._half_answered:
            # Its data would come again from the start, and the helper has read some of it.
            self._finish(self._asked, "control ended in the middle of its answer")
        else:
            self._lines = AnswerLines()
            self._control.send(self._asked)

    def _from_control(self, message: Message) -> None:
        match message:
            case Answer():
                self._answered(message)
            case Reconfigure():
                self._reconfigure()
            case Present():
                self._present()
            case Signalled(code=code):
                self._feeds.signal(code, time.time())
            case _:
                self._bad(f"{type(message).__name__} is not for a bridge")

    def _answered(self, answer: Answer) -> None:
        if self._asked is None or answer.request != self._asked.request:
            return
        for line in self._lines.take(answer):
            self._half_answered = True
            self._commands.say(line)
        if answer.final:
            self._finish(self._asked, answer.error)

    def _finish(self, asked: Command, error: str) -> None:
        if error:
            self._commands.refused(asked.line, error, self._loop.now())
        self._asked = None
        self._commands.finish(error)
        self._work()

    def _reconfigure(self) -> None:
        try:
            helper, bindings = read_helper(self._run.settings / self._program)
        except (OSError, SchemaError) as error:
            self._log.error("settings cannot be read, the old ones stay: %s", error)
            return
        self._targets.configure(bindings)
        same = {**helper.to_wire(), **ABOUT_NEIGHBORS} == {**self._helper.to_wire(), **ABOUT_NEIGHBORS}
        self._feeds.configure(helper, bindings, self._context)
        self._helper = helper
        if not same:
            self._notices = helper_renderer(NOBODY, self._context, helper)
            self._commands.configure(helper.acknowledge)
            self._process.reconfigure(helper)
            self._await_first_words()

    def _present(self) -> None:
        """Tell control how this helper is."""
        state = {
            "pid": self._process.pid,
            "uptime": self._process.uptime,
            "starts": self._process.starts,
            "commands": self._commands.count,
            "errors": self._commands.errors,
            **self._output.waiting,
        }
        if (seconds := self._process.starts_in) is not None:
            state["starts_in"] = seconds
        self._control.send(Present(self._name, self._epoch, state))

    # What the helper reads

    def _answer(self, line: bytes, count: int) -> None:
        if self._process.pid:
            self._output.answer(line, count)
            self.helper_writable()

    def _events(self, lines: list[bytes]) -> None:
        if self._process.pid:
            self._output.event(lines)
            self.helper_writable()
        elif not self._begun:
            self._output.event(lines)

    def _lost(self, count: int) -> None:
        if self._process.pid:
            self._output.drop(count)
            self.helper_writable()
        elif not self._begun:
            self._output.drop(count)

    def helper_writable(self) -> None:
        """Write what the pipe takes."""
        for _ in range(WRITE_TURNS):
            chunk = self._output.next_chunk()
            if not chunk:
                break
            written = self._process.write(chunk)
            self._output.written(written)
            if written < len(chunk):
                break
        self._process.want_write(bool(self._output))
        self._hold_back()
        self._report_losses()

    def _hold_back(self) -> None:
        """Let control and the helper wait while too many answers do; log it once in a helper's life."""
        if self._held_back == self._output.answers_full:
            return
        self._held_back = not self._held_back
        self._control.pause_reading(self._held_back)
        self._throttle()
        if self._held_back and not self._unheeded:
            self._unheeded = True
            self._log.warning("helper does not read its answers, it is read on when it does: %s", self._output.waiting)

    def _report_losses(self) -> None:
        losing = bool(self._output.lost)
        if losing and not self._was_losing:
            self._log.warning("helper does not read its events, they are dropped: %s", self._output.waiting)
            self._tell("lost", {"lost": self._output.lost_total})
        elif self._was_losing and not losing:
            self._log.warning("helper reads again lost=%d", self._output.lost_total)
            self._tell("reading", {"lost": self._output.lost_total})
        self._was_losing = losing

    def _bad(self, reason: str) -> None:
        self._log.warning("bad message refused: %s", reason)


def main(run_directory: Path, program: str) -> None:
    """Run the bridge of one helper until it is told to end."""
    run = RunDirectory(run_directory)
    die_with_parent(parent_of_ours(run))
    log = start_logging(program)
    loop = Loop()
    try:
        take_lock(run.lock(program))
        bridge = Bridge(loop, run, program, new_epoch(), log)
    except (AlreadyRunning, SchemaError, OSError) as error:
        log.error("%s", error)
        raise SystemExit(EXIT_CONFIGURATION) from error
    loop.on_signal(signal.SIGTERM, bridge.stop)
    loop.on_signal(signal.SIGINT, bridge.stop)
    for number in REQUESTS:
        loop.on_signal(number, partial(bridge.signalled, number))
    collect_garbage_rarely()
    bridge.start()
    loop.run()
    loop.close()
