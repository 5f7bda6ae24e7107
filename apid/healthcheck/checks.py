"""Run everything that must pass for the service to be up."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable

from msgspec import Struct

from apid.healthcheck.network_checks import check_dns, check_tcp
from apid.healthcheck.options import CheckOptions, parse_endpoint, parse_query
from apid.healthcheck.process import Outcome, Processes

SHELL = "/bin/sh"
# http.client and ssl take as long to load as all the rest together, and most checks do without.
HTTP_MODULE = "apid.healthcheck.http_check"


class Result(Struct, frozen=True):
    """How a check went; `reason` says what went wrong, `output` what it wrote."""

    passed: bool
    reason: str = ""
    output: str = ""


class Checks:
    """The checks that were asked for; without any, the service is always up."""

    def __init__(self, options: CheckOptions, processes: Processes) -> None:
        self._options, self._processes = options, processes
        self._work: list[Callable[[], str]] = []
        timeout = options.timeout
        if options.tcp:
            host, port = parse_endpoint("--tcp", options.tcp)
            self._work.append(lambda: check_tcp(host, port, timeout))
        if options.http:
            self._work.append(importlib.import_module(HTTP_MODULE).make(options))
        if options.dns:
            name, server, server_port = parse_query(options.dns)
            self._work.append(lambda: check_dns(name, server, server_port))

    def disabled(self) -> bool:
        """Whether the disable file is there."""
        return bool(self._options.disable) and os.path.exists(self._options.disable)

    def run(self, interrupted: Callable[[], bool]) -> Result:
        """Run them one after the other until one fails."""
        timeout = self._options.timeout
        output = ""
        for work in self._work:
            outcome = self._processes.call(work, timeout, interrupted)
            if outcome.status != 0:
                return Result(False, outcome.reason or outcome.output or f"ended with {outcome.status}")
        if command := self._options.command:
            outcome = self._processes.run((SHELL, "-c", command), dict(os.environ), timeout, interrupted)
            if outcome.status != 0:
                return Result(False, f"command: {describe(outcome)}", outcome.output)
            output = outcome.output
        return Result(True, "", output)


def describe(outcome: Outcome) -> str:
    """Say how a command ended."""
    if outcome.status is None:
        return outcome.reason
    if outcome.status < 0:
        return f"ended by signal {-outcome.status}"
    return f"exit status {outcome.status}"
