"""Run the health check: feed the machine with what happens and do what it says."""

from __future__ import annotations

import logging
import os
import signal
import sys

from apid.healthcheck.channel import Channel
from apid.healthcheck.checks import SHELL, Checks, describe
from apid.healthcheck.identity import drop_privileges, pid_file
from apid.healthcheck.lines import Network, lines
from apid.healthcheck.loopback import AddressError, Addresses
from apid.healthcheck.machine import (
    Action,
    Announce,
    Changed,
    Event,
    Finish,
    Held,
    Machine,
    RunHooks,
    SetUpAddresses,
    State,
    TakeDownAddresses,
)
from apid.healthcheck.options import OptionError, Options, prefixes_to_announce
from apid.healthcheck.process import Processes
from apid.healthcheck.waiting import Waiter

STDIN, STDOUT = 0, 1
ANSWER_SECONDS = 1.5  # for answers before addresses go and before the end; daemons kill a helper 2 s after SIGTERM
STOPPED, FAILED = 0, 1


class Runner:
    """One health check from its start to its end."""

    def __init__(self, options: Options, log: logging.Logger) -> None:
        self._options, self._log = options, log
        self._waiter = Waiter()
        self._stop = self._again = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._waiter.on_signal(number, self._asked_to_stop)
        self._waiter.on_signal(signal.SIGUSR1, self._asked_again)
        self._processes = Processes(self._waiter)
        self._checks = Checks(options.check, self._processes)
        self._addresses = Addresses(options.addresses, self._processes, log)
        source = None if os.isatty(STDIN) else STDIN
        self._channel = Channel(self._waiter, source, STDOUT, options.process.acknowledged, self._refused)
        self._machine = Machine(options.machine, self._waiter.now())
        self._prefixes: list[Network] = []
        self._reason = ""
        self._told_silent = self._failed = False

    def run(self) -> int:
        """Run until told to stop; return the exit status. OptionError or AddressError where it cannot begin."""
        options = self._options
        with pid_file(options.process.pid_file):
            found = list(options.addresses.prefixes) or self._addresses.discover()
            self._prefixes = prefixes_to_announce(found, options.addresses)
            if not self._prefixes:
                raise OptionError("nothing to announce: no --ip is given, and no address on the loopback matches")
            self._begin()
            while not self._machine.finished:
                self._turn()
            self._channel.settle(ANSWER_SECONDS)
        if self._channel.gone:
            self._log.warning("the daemon reads us no more")
        return FAILED if self._channel.gone or self._failed else STOPPED

    def _begin(self) -> None:
        process = self._options.process
        try:
            self._addresses.set_up()
            drop_privileges(process.user, process.group)
        except (OptionError, AddressError):
            self._addresses.take_down()
            raise

    def _turn(self) -> None:
        self._waiter.wait(self._machine.next_check, lambda: self._interrupted() or self._again)
        if self._interrupted():
            self._handle(Event.STOP)
        elif self._again:
            self._again = False
            self._handle(Event.AGAIN)
        elif self._checks.disabled():
            self._handle(Event.DISABLED)
        else:
            self._check()

    def _check(self) -> None:
        result = self._checks.run(self._interrupted)
        if self._interrupted():
            return
        if result.output:
            self._log.debug("check wrote: %s", result.output)
        # A check that goes on failing in the same way is logged once.
        if result.reason != self._reason:
            if result.reason:
                self._log.warning("check failed: %s", result.reason)
            self._reason = result.reason
        self._handle(Event.PASSED if result.passed else Event.FAILED)

    def _handle(self, event: Event) -> None:
        for action in self._machine.handle(event, self._waiter.now()):
            if not self._perform(action):
                self._machine.handle(Event.REFUSED, self._waiter.now())
                self._failed = self._machine.finished
                return

    def _perform(self, action: Action) -> bool:
        """Do it; False where what follows must not be done."""
        match action:
            case Changed(old, new):
                level = logging.DEBUG if new in (State.RISING, State.FALLING, State.INIT) else logging.INFO
                self._log.log(level, "state=%s was=%s", new, old)
            case RunHooks(state):
                self._run_hooks(state)
            case SetUpAddresses():
                return self._set_up()
            case Announce(state):
                self._announce(state)
            case TakeDownAddresses():
                self._take_down()
            case Held(until):
                seconds = until - self._waiter.now()
                self._log.warning("too many changes: held down for %.1f s more if the check goes on passing", seconds)
            case Finish():
                pass
        return True

    def _announce(self, state: State) -> None:
        commands = lines(state, self._prefixes, self._options.wording)
        for command in commands:
            self._log.debug("print %s", command)
        self._channel.send(commands)
        if self._channel.silent and not self._told_silent:
            self._told_silent = True
            self._log.warning("the daemon does not answer: going on without answers, as with --no-ack")

    def _set_up(self) -> bool:
        try:
            self._addresses.set_up()
        except AddressError as error:
            self._log.error("not announced, tried again after the next check: %s", error)
            return False
        return True

    def _take_down(self) -> None:
        if not self._channel.settle(ANSWER_SECONDS):
            self._log.warning("addresses are taken away although the daemon has not answered in %g s", ANSWER_SECONDS)
        try:
            self._addresses.take_down()
        except AddressError as error:
            self._log.warning("%s", error)

    def _run_hooks(self, entered: State) -> None:
        options = self._options.process
        for state, command in options.hooks:
            if state not in (None, entered):
                continue
            environment = {**os.environ, "STATE": entered.value}
            outcome = self._processes.run((SHELL, "-c", command), environment, options.hook_timeout, self._interrupted)
            if outcome.status != 0:
                self._log.warning("hook %s: %s %s", command, describe(outcome), outcome.output)
            elif outcome.output:
                self._log.debug("hook %s wrote: %s", command, outcome.output)

    def _interrupted(self) -> bool:
        return self._stop or self._channel.gone

    def _asked_to_stop(self) -> None:
        self._stop = True

    def _asked_again(self) -> None:
        self._again = True

    def _refused(self, command: str) -> None:
        self._log.error("the daemon refused, printed again after the next check: %s", command)
        self._machine.handle(Event.REFUSED, self._waiter.now())


def run(options: Options, log: logging.Logger) -> int:
    """Run a health check; return 0 at the end that was asked for, 1 if it could not begin or lost its daemon."""
    try:
        return Runner(options, log).run()
    except (OptionError, AddressError) as error:
        print(f"bgpbus healthcheck: {error}", file=sys.stderr)
        return FAILED
