"""Commands that control carries out as they are: what helpers may say, from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from apid.cli.ask import ask, print_lines
from apid.cli.diff import fault_of_configuration
from apid.cli.errors import Misconfigured, Refused
from apid.cli.summary import summary
from apid.grammar.abbreviations import in_full, next_words, words_in_full
from bus.daemon import RunDirectory

WORDS = {"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]}
UP, DOWN = ("established",), ("idle", "active", "connect", "opensent", "openconfirm", "shut")


def _next_words(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a word of a command of the API."""
    first = () if ctx.info_name == "cli" else (str(ctx.info_name),)
    return [word for word in next_words(*first, *(ctx.params["words"] or ())) if word.startswith(incomplete)]


def send(run: RunDirectory, *words: str) -> None:
    """Carry out a command, whose words are in full, and print its answer."""
    ask(run, " ".join(words), print_lines)


def _typed(*words: str) -> str:
    """Return a command in full, as one line: a shell's word may be several of it."""
    return in_full(" ".join(words))


def _with_json(wanted: bool, *words: str) -> tuple[str, ...]:
    """Return the words of a command with `json` behind them where that is wanted. UsageError where it has none."""
    if not wanted:
        return words
    if "json" not in next_words(*words):
        raise click.UsageError(f"'{' '.join(words)}' takes no --json")
    return *words, "json"


JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, where the command shows something.")


def _coloured(line: str) -> str:
    """Colour the state in a line of the summary."""
    words = line.split()
    state = words[2] if len(words) > 2 else ""
    if not sys.stdout.isatty() or state not in (*UP, *DOWN):
        return line
    return line.replace(f" {state} ", f" {click.style(state, fg='green' if state in UP else 'red')} ", 1)


@click.command(context_settings=WORDS)
@click.argument("words", nargs=-1, required=True, shell_complete=_next_words)
@JSON
@click.pass_obj
def show(run: RunDirectory, words: tuple[str, ...], as_json: bool) -> None:
    """Show neighbors or routes.

    \b
    bgpbus show neighbor                            a line for each neighbor
    bgpbus show neighbor 192.0.2.1 extensive
    bgpbus show neighbor configuration
    bgpbus show adj-rib out                         what we announce
    bgpbus show adj-rib in 192.0.2.1 extensive      what a peer announced
    bgpbus show adj-rib out flow --json
    """
    words = tuple(_typed("show", *words).split()[1:])
    if words[:1] == ("neighbor",) and not as_json and not {"extensive", "configuration", "json"} & {*words}:
        selected = tuple(word for word in words[1:] if word != "summary")
        print_lines([_coloured(line) for line in summary(run, selected)])
        return
    send(run, *_with_json(as_json, "show", *words))


@click.command(context_settings=WORDS)
@click.argument("words", nargs=-1, required=True, shell_complete=_next_words)
@click.pass_obj
def announce(run: RunDirectory, words: tuple[str, ...]) -> None:
    """Announce routes, End-of-RIB, route refresh and more, to every neighbor.

    \b
    bgpbus announce route 192.0.2.0/24 next-hop self community [ 65000:1 ]
    bgpbus announce flow route 'destination 192.0.2.1/32 rate-limit 9600'
    bgpbus announce attributes next-hop self nlri 198.51.100.0/24 203.0.113.0/24
    bgpbus announce watchdog NAME
    bgpbus announce eor ipv4 unicast
    bgpbus announce route-refresh ipv4 unicast
    """
    send(run, _typed("announce", *words))


@click.command(context_settings=WORDS)
@click.argument("words", nargs=-1, required=True, shell_complete=_next_words)
@click.pass_obj
def withdraw(run: RunDirectory, words: tuple[str, ...]) -> None:
    """Withdraw routes from every neighbor.

    \b
    bgpbus withdraw route 192.0.2.0/24
    bgpbus withdraw watchdog NAME
    """
    send(run, _typed("withdraw", *words))


@click.command(context_settings=WORDS)
@click.argument("words", nargs=-1, required=True, shell_complete=_next_words)
@JSON
@click.pass_obj
def neighbor(run: RunDirectory, words: tuple[str, ...], as_json: bool) -> None:
    """Give a command to one neighbor, or to those that a selector names.

    \b
    bgpbus neighbor 192.0.2.1 announce route 198.51.100.0/24 next-hop self
    bgpbus neighbor 192.0.2.1 peer-as 65001 withdraw route 198.51.100.0/24
    bgpbus neighbor 192.0.2.1 teardown 2
    """
    send(run, _typed(*_with_json(as_json, "neighbor", *words)))


@click.command(context_settings=WORDS)
@click.argument("words", nargs=-1, required=True, shell_complete=_next_words)
@JSON
@click.pass_obj
def peer(run: RunDirectory, words: tuple[str, ...], as_json: bool) -> None:
    """Create, delete, shut and open neighbors, or give one a command. No other session notices.

    \b
    bgpbus peer create 192.0.2.1 local-address 192.0.2.9 local-as 65000 \\
        peer-as 65001 keep
    bgpbus peer delete 192.0.2.1
    bgpbus peer 192.0.2.1 shutdown 'back at noon'
    bgpbus peer 192.0.2.1 enable
    bgpbus peer 192.0.2.1 announce route 198.51.100.0/24 next-hop self
    bgpbus peer list

    What is created, shut or opened lives until the next reload; with 'keep' (create … keep, shutdown keep …) it
    outlives reloads and restarts.
    """
    words = words_in_full("peer", *words)[1:]
    if "shutdown" in words:  # what follows is a text for the peer
        place = words.index("shutdown") + 1
        words = (
            *words[:place],
            *(word if word.isalnum() else json.dumps(word, ensure_ascii=False) for word in words[place:]),
        )
    send(run, *_with_json(as_json, "peer", *words))


@click.command()
@click.argument("words", metavar="[adj-rib out] [PEER]", nargs=-1, shell_complete=_next_words)
@click.pass_obj
def flush(run: RunDirectory, words: tuple[str, ...]) -> None:
    """Send all routes again, to one PEER or to all.

    \b
    bgpbus flush
    bgpbus flush 192.0.2.1
    bgpbus flush adj-rib out        as the API says it
    """
    peer = _rest(_typed("flush", *words).split()[1:], ("adj-rib", "out"))
    send(run, *_selected(peer), "flush adj-rib out")


def _rest(words: Sequence[str], known: tuple[str, ...]) -> str | None:
    """Return the peer that is left of the words; more than that is wrong usage."""
    left = [word for word in words if word not in known]
    if len(left) > 1:
        raise click.UsageError(f"one peer expected, not '{' '.join(left)}'")
    return left[0] if left else None


@click.command()
@click.argument("words", metavar="[adj-rib] in|out [PEER]", nargs=-1, shell_complete=_next_words)
@click.pass_obj
def clear(run: RunDirectory, words: tuple[str, ...]) -> None:
    """Forget received routes (in), or withdraw all that is announced (out).

    \b
    bgpbus clear in
    bgpbus clear out 192.0.2.1
    bgpbus clear adj-rib out        as the API says it
    """
    given = _typed("clear", *words).split()[1:]
    given = given[1:] if given[:1] == ["adj-rib"] else given
    direction = given[0] if given else ""
    if direction not in ("in", "out"):
        raise click.UsageError(f"'in' or 'out' expected, not '{direction}'")
    peer = _rest(given[1:], ())
    send(run, *_selected(peer), f"clear adj-rib {direction}")


@click.command()
@click.argument("peer")
@click.argument("subcode", type=click.IntRange(0, 255), default=4)
@click.pass_obj
def teardown(run: RunDirectory, peer: str, subcode: int) -> None:
    """End the session with PEER with NOTIFICATION Cease and a SUBCODE (4: administrative reset); it comes back.

    \b
    bgpbus teardown 192.0.2.1
    bgpbus teardown 192.0.2.1 2
    """
    send(run, *_selected(peer), f"teardown {subcode}")


def _selected(peer: str | None) -> list[str]:
    return ["neighbor", peer] if peer else []


@click.command(context_settings=WORDS)
@click.argument("words", nargs=-1, shell_complete=_next_words)
@JSON
@click.option("--pipename", hidden=True, help="Accepted for ExaBGP's sake.")
@click.pass_obj
def cli(run: RunDirectory, words: tuple[str, ...], as_json: bool, pipename: str | None) -> None:
    """Give any command of the API, as helpers do; without words, read one from each line of standard input.

    On a terminal there is a prompt; 'exit' ends it.

    \b
    bgpbus cli
    bgpbus cli help
    bgpbus cli peer list
    bgpbus cli < commands.txt
    """
    words = _with_json(as_json, *words)
    if words:
        send(run, _typed(*words))
        return
    # Neither is imported for every command: a prompt alters the terminal, and lines need the whole grammar, 0.3 s.
    if sys.stdin.isatty() and sys.stdout.isatty():
        from apid.cli.prompt import converse

        converse(run)
    else:
        from apid.cli.lines import carry_out_lines

        carry_out_lines(run)


@click.command()
@click.pass_obj
def reload(run: RunDirectory) -> None:
    """Read the configuration again. One that is wrong changes nothing.

    \b
    bgpbus validate /etc/bgpbus/bgpbus.conf && bgpbus reload
    """
    try:
        send(run, "reload")
    except Refused as error:
        if error.message == fault_of_configuration(run):
            raise Misconfigured(error.message) from error
        raise


@click.command()
@click.pass_obj
def restart(run: RunDirectory) -> None:
    """Read the configuration again, establish every session again, restart the helpers.

    \b
    bgpbus restart
    """
    send(run, "restart")


@click.command()
@click.pass_obj
def shutdown(run: RunDirectory) -> None:
    """End the daemon: peers get NOTIFICATION Cease, helpers the shutdown event.

    \b
    bgpbus shutdown
    """
    send(run, "shutdown")
