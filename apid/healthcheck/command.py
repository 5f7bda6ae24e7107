"""The command `bgpbus healthcheck`."""

from __future__ import annotations

from typing import Any

import click

from apid.healthcheck.arguments import Arity, expand, read_file
from apid.healthcheck.build import build
from apid.healthcheck.logs import start_logging
from apid.healthcheck.options import OptionError
from apid.healthcheck.runner import run

NUMBER = click.FloatRange(min=0)
COUNT = click.IntRange(min=0)
WHOLE = click.INT


def _flag(help_text: str, *names: str) -> click.Option:
    return click.Option(names, is_flag=True, help=help_text)


def _text(help_text: str, *names: str, metavar: str, default: str = "", many: bool = False) -> click.Option:
    shown = bool(default)
    standard: Any = None if many else default
    return click.Option(names, default=standard, multiple=many, metavar=metavar, help=help_text, show_default=shown)


def _number(
    help_text: str, *names: str, default: float, kind: click.ParamType[Any] = NUMBER, metavar: str = "SECONDS"
) -> click.Option:
    return click.Option(names, type=kind, default=default, metavar=metavar, help=help_text, show_default=True)


def _metric(help_text: str, name: str, default: int) -> click.Option:
    return _number(help_text, name, default=default, kind=COUNT, metavar="M")


SECTIONS: tuple[tuple[str, tuple[click.Option, ...]], ...] = (
    (
        "What is checked (all that is given must pass; nothing given: always up)",
        (
            _text("Shell command; exit status 0 is up.", "-c", "--cmd", "--command", "command", metavar="COMMAND"),
            _text("Web page; a status of 200 to 399 is up.", "--http", metavar="URL"),
            _text("Statuses that are up, such as 200,204,300-399.", "--http-status", metavar="CODES"),
            _text("Text that the page must contain.", "--http-body", metavar="TEXT"),
            _flag("Accept any certificate.", "--http-insecure"),
            _text("TCP port that must accept a connection.", "--tcp", metavar="HOST:PORT"),
            _text("Name server that must know an address of NAME.", "--dns", metavar="NAME@SERVER"),
            _text("The service is disabled while FILE exists.", "--disable", metavar="FILE"),
        ),
    ),
    (
        "When",
        (
            _number("Between checks; 0: end after the first announcement.", "-i", "--interval", default=5.0),
            _number("Between checks while the state is about to change.", "-f", "--fast-interval", default=1.0),
            _number("A check that takes longer is killed and has failed; 0: no limit.", "-t", "--timeout", default=5.0),
            _number("Passed checks in a row that make it up.", "--rise", default=3, kind=COUNT, metavar="N"),
            _number("Failed checks in a row that make it down.", "--fall", default=3, kind=COUNT, metavar="N"),
            _text(
                "After N changes in so many seconds, stay down until they are over.",
                *("--max-changes",),
                metavar="N/SECONDS",
            ),
        ),
    ),
    (
        "What is announced",
        (
            _text(
                "Address or network; repeat it. Without: the addresses on the loopback.",
                *("--ip",),
                metavar="PREFIX",
                many=True,
            ),
            _text("The same, of another interface than the loopback.", "--ip-ifname", metavar="IP%IF", many=True),
            _text("Only to this neighbor; repeat it. Without: to all.", "--neighbor", metavar="IP", many=True),
            _text("Next hop.", "-N", "--next-hop", metavar="IP", default="self"),
            _flag("Announce each address of a network by itself.", "--deaggregate-networks"),
            _number("Begin with the Nth prefix, counted from 0.", "--start-ip", default=0, kind=WHOLE, metavar="N"),
            _flag("When down or disabled, withdraw instead of worsening the metric.", "--withdraw-on-down"),
            _metric("Metric (MED) of the first prefix when up.", "--up-metric", 100),
            _metric("The same when down.", "--down-metric", 1000),
            _metric("The same when disabled.", "--disabled-metric", 500),
            _number("Added to the metric for each further prefix.", "--increase", default=1, kind=WHOLE, metavar="M"),
            _number("Local preference; below 0: none.", "--local-preference", default=-1, kind=WHOLE, metavar="P"),
            _text("Communities, such as '65000:1 65000:2'.", "--community", metavar="LIST"),
            _text("Instead of --community when down or disabled.", "--disabled-community", metavar="LIST"),
            _text("Extended communities.", "--extended-community", metavar="LIST"),
            _text("Large communities.", "--large-community", metavar="LIST"),
            _text("AS path.", "--as-path", metavar="LIST"),
            _text("Instead of --as-path when up.", "--up-as-path", metavar="LIST"),
            _text("Instead of --as-path when down.", "--down-as-path", metavar="LIST"),
            _text("Instead of --as-path when disabled.", "--disabled-as-path", metavar="LIST"),
            _text("Path identifier (ADD-PATH).", "--path-id", metavar="N"),
            _flag("Print at every check, not only on change.", "--repeat"),
            _flag("Print only on change: the default.", "--debounce"),
        ),
    ),
    (
        "Addresses on this host",
        (
            _flag("Leave interfaces alone.", "--no-ip-setup"),
            _flag("Remove addresses when down or disabled, add them when up.", "--dynamic-ip-setup"),
            _text("Label of our addresses; lo:LABEL… are found.", "--label", metavar="LABEL"),
            _flag("Find only lo:LABEL itself.", "--label-exact-match"),
            _flag("Use sudo to add and remove addresses.", "--sudo"),
        ),
    ),
    (
        "Hooks (shell commands; $STATE is the new state)",
        (
            _text("Run at each change of state.", "--execute", metavar="COMMAND"),
            _text("Run when it comes up, before it is announced.", "--up-execute", metavar="COMMAND"),
            _text("Run when it goes down.", "--down-execute", metavar="COMMAND"),
            _text("Run when it is disabled.", "--disabled-execute", metavar="COMMAND"),
            _number("A hook that takes longer is killed; 0: no limit.", "--hook-timeout", default=60.0),
        ),
    ),
    (
        "This program",
        (
            _text("Read options from a file; what is given here wins.", "-F", "--config", metavar="FILE"),
            _flag("Expect no answers from the daemon.", "-a", "--no-ack"),
            _text("Name in the log.", "-n", "--name", metavar="NAME"),
            _flag("Log more.", "-d", "--debug"),
            _flag("Do not log to stderr.", "-s", "--silent"),
            click.Option(
                ("-sF", "--syslog-facility"),
                is_flag=False,
                flag_value="daemon",
                default="daemon",
                metavar="[FACILITY]",
                help="Syslog facility.",
                show_default=True,
            ),
            _flag("Do not log to syslog.", "--no-syslog"),
            _text("Write the process id to a file.", "-p", "--pid", metavar="FILE"),
            _text("Become this user once the addresses are set up.", "--user", metavar="USER"),
            _text("Become this group.", "--group", metavar="GROUP"),
        ),
    ),
)

HELP = """Check a service, and announce its addresses while it is up.

A helper program: it prints commands for the daemon on stdout and reads their answers on stdin. Typed by hand, it
shows what it would say:

\b
  bgpbus healthcheck --tcp 127.0.0.1:80 --ip 192.0.2.80 --no-ip-setup --no-ack

In a configuration:

\b
  process web {
      run bgpbus healthcheck --http http://127.0.0.1/health \\
          --ip 192.0.2.80 --withdraw-on-down;
  }
"""

EPILOG = """Examples:

\b
  bgpbus healthcheck --cmd "curl -sf http://127.0.0.1/health" --label web
  bgpbus healthcheck --tcp 127.0.0.1:5432 --ip 192.0.2.54 --max-changes 4/60
  bgpbus healthcheck --dns www.example.com@127.0.0.1 --ip 192.0.2.53
  bgpbus healthcheck --config /etc/bgpbus/web.conf

The configuration file has lines 'long-option = value', and flags alone:

\b
  name = web
  command = curl -sf http://127.0.0.1/health
  interval = 10
  withdraw-on-down

Signals: TERM, INT and HUP withdraw and end; USR1 prints the last announcement again.
"""


class HealthcheckCommand(click.Command):
    """Options in sections, shortened long options, and a configuration file that stands for arguments."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        for title, options in SECTIONS:
            rows = [row for option in options if (row := option.get_help_record(ctx))]
            with formatter.section(title):
                formatter.write_dl(rows, col_max=32)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put what the configuration file stands for before what was given."""
        arities = {name: _arity(option) for option in _options(self, ctx) for name in option.opts}
        given, paths = expand(args, arities)
        try:
            read = [word for path in paths for word in _read(path, arities)]
        except OptionError as error:
            raise click.UsageError(str(error), ctx) from error
        return super().parse_args(ctx, [*read, *given])


def _options(command: click.Command, ctx: click.Context) -> list[click.Option]:
    return [parameter for parameter in command.get_params(ctx) if isinstance(parameter, click.Option)]


def _arity(option: click.Option) -> Arity:
    if option.is_flag or option.is_eager:
        return Arity.FLAG
    return Arity.OPTIONAL if "--syslog-facility" in option.opts else Arity.VALUE


def _read(path: str, arities: dict[str, Arity]) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return read_file(path, file.read(), arities)
    except OSError as error:
        raise OptionError(f"--config '{path}': {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"--config '{path}' is not UTF-8 text: {error.reason} at octet {error.start}") from error


def _main(**values: Any) -> None:
    ctx = click.get_current_context()
    try:
        options = build(values)
        log = start_logging(options.logging)
    except OptionError as error:
        raise click.UsageError(str(error), ctx) from error
    ctx.exit(run(options, log))


healthcheck = HealthcheckCommand(
    "healthcheck",
    callback=_main,
    params=[option for _, options in SECTIONS for option in options],
    help=HELP,
    epilog=EPILOG,
    short_help="Check a service and announce its addresses (a helper program).",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
