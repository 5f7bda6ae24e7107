"""The `bgpbus` command. Each of its commands is imported when it is used, so that short ones are quick."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from apid import __version__
from apid.grammar.abbreviations import in_full
from bus.daemon import RunDirectory, default_run_directory

PROGRAM = "bgpbus"

# Where each command is, in the order in which help lists them, and its line there (importing would cost too much).
COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("apid.cli.run", "run", "Run configurations in the foreground."),
    "validate": ("apid.cli.validate", "validate", "Check configurations without running them."),
    "diff": ("apid.cli.diff", "diff", "Show what a reload would change."),
    "reload": ("apid.cli.control", "reload", "Read the configuration again."),
    "restart": ("apid.cli.control", "restart", "Establish every session again and restart the helpers."),
    "shutdown": ("apid.cli.control", "shutdown", "End the daemon."),
    "status": ("apid.cli.status", "status", "Show the daemon and its sessions."),
    "helpers": ("apid.cli.status", "helpers", "Show the helpers: state, commands, what waits for them."),
    "show": ("apid.cli.control", "show", "Show neighbors or routes."),
    "announce": ("apid.cli.control", "announce", "Announce routes, End-of-RIB, route refresh and more."),
    "withdraw": ("apid.cli.control", "withdraw", "Withdraw routes."),
    "neighbor": ("apid.cli.control", "neighbor", "Give a command to one neighbor only."),
    "peer": ("apid.cli.control", "peer", "Create, delete, shut and open neighbors."),
    "flush": ("apid.cli.control", "flush", "Send all routes again."),
    "clear": ("apid.cli.control", "clear", "Forget received routes, or withdraw all."),
    "teardown": ("apid.cli.control", "teardown", "End a session; it comes back."),
    "cli": ("apid.cli.control", "cli", "Give any command of the API, as helpers do."),
    "tap": ("apid.cli.tap", "tap", "Print events as they happen, as JSON."),
    "decode": ("apid.cli.packet", "decode", "Decode a BGP message or routes from hexadecimal digits."),
    "encode": ("apid.cli.packet", "encode", "Encode a route as an UPDATE, in hexadecimal digits."),
    "env": ("apid.cli.env", "env", "Show the options of the environment."),
    "healthcheck": ("apid.healthcheck.command", "healthcheck", "Watch a service and announce it while it is healthy."),
    "completion": ("apid.cli.completion", "completion", "Print the completion script of a shell."),
    "version": ("apid.cli.version", "version", "Show the version."),
}
SYNONYMS = {"server": "run"}
API = ("create", "delete", "rib", "session", "system", "daemon", "ping")  # what else the API's commands begin with


def _use_run_directory(ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    """Take `--run-dir` behind the command too, where it counts more."""
    if value is not None:
        ctx.obj = RunDirectory(value.absolute())


def _use_environment(_ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    """Have the ini file read that `--env-file` names; behind the command it counts more."""
    if value is not None:
        os.environ["EXABGP_ENVFILE"] = str(value.absolute())


RUN_DIRECTORY = click.Option(
    ["--run-dir"],
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the daemon has its sockets and files.",
    callback=_use_run_directory,
    expose_value=False,
)
ENV_FILE = click.Option(
    ["--env-file"],  # not `--env`, which is an option of `env`
    type=click.Path(path_type=Path),
    help="The ini file of the environment.",
    callback=_use_environment,
    expose_value=False,
)


class Commands(click.Group):
    """The commands above, and any of the API, also abbreviated.

    The name of a file stands for `run FILE`, options of `run` before it too, as ExaBGP's users expect.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before options that are not ours but its own; leave out `--run` before a command (ExaBGP 4)."""
        own = {name: option for option in self.get_params(ctx) for name in option.opts}
        place = 0
        while place < len(args) and (option := own.get(args[place].partition("=")[0])) is not None:
            place += 1 if getattr(option, "is_flag", False) or "=" in args[place] else 2
        first = args[place] if place < len(args) else ""
        if first == "--run":
            args = [*args[:place], *args[place + 1 :]]
        elif first.startswith("-"):
            run = self.get_command(ctx, "run")
            names = {name for option in run.params for name in option.opts} if run is not None else set()
            if (first.partition("=")[0] if first.startswith("--") else first[:2]) in names:
                args = [*args[:place], "run", *args[place:]]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in our order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        place = COMMANDS.get(SYNONYMS.get(cmd_name, cmd_name))
        if place is None:
            return None
        command: Any = getattr(importlib.import_module(place[0]), place[1])
        if not isinstance(command, click.Command):
            return None
        if cmd_name != "healthcheck" and RUN_DIRECTORY not in command.params:
            command.params += [RUN_DIRECTORY, ENV_FILE]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a file for `run FILE`, and a command of the API for `cli COMMAND`; that may be abbreviated."""
        first = args[0]
        if first not in COMMANDS and first not in SYNONYMS:
            if first == "-" or os.path.isfile(first):
                args = ["run", *args]
            elif (full := in_full(first)) in API:
                args = ["cli", full, *args[1:]]
            elif full in COMMANDS:
                args = [full, *args[1:]]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the commands of the API, too."""
        api = [CompletionItem(word) for word in API if word.startswith(incomplete)]
        return [*super().shell_complete(ctx, incomplete), *api]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "BGPBUS"},
    epilog="Exit codes: 0 done; 1 failed, also where a line of 'bgpbus cli < FILE' did; 2 wrong usage, a wrong "
    "command, or a configuration that run, validate, diff or reload finds wrong.",
)
@click.option(
    "--run-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the daemon has its sockets and files; also BGPBUS_RUN_DIR.",
    show_default="/run/bgpbus, or a directory of yours",
)
@click.option(
    "--env-file",
    "--env",
    type=click.Path(path_type=Path),
    help="The ini file of the environment; also EXABGP_ENVFILE.",
    callback=_use_environment,
    expose_value=False,
)
@click.version_option(__version__, message="bgpbus %(version)s")
@click.pass_context
def main(ctx: click.Context, run_dir: Path | None) -> None:
    """Speak BGP for programs: run ExaBGP configurations and helpers, and look after them.

    \b
    bgpbus run /etc/bgpbus/bgpbus.conf      start in the foreground
    bgpbus show neighbor summary            look at the sessions
    bgpbus announce route 192.0.2.0/24 next-hop self
    bgpbus COMMAND --help                   options and examples of a command
    """
    ctx.obj = RunDirectory((run_dir or default_run_directory(dict(os.environ))).absolute())
