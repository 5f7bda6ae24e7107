"""Commands from standard input, one on a line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from io import BufferedReader
from typing import cast

import click

from apid.cli.ask import Conversation, End, print_lines
from apid.cli.errors import Failed
from apid.grammar.abbreviations import in_full
from apid.grammar.command import RouteChange, parse_command
from apid.grammar.words import GrammarError
from bus.daemon import RunDirectory

READ_OCTETS = 64 * 1024


def carry_out_lines(run: RunDirectory) -> None:
    """Carry out each line and print its answer. Raises Failed where one failed, which stops no other one."""
    failed = 0

    def ended(line: str, error: Failed | None) -> None:
        nonlocal failed
        if error is not None:
            failed += 1
            click.echo(f"{line}: {error.message}", err=True)

    conversation = Conversation(run)
    try:
        for line in joined(map(in_full, _typed(conversation))):
            _ask(conversation, line, partial(ended, line))
    finally:
        conversation.close()
    if failed:
        raise Failed(f"{failed} command{'s' if failed > 1 else ''} failed")


def _ask(conversation: Conversation, line: str, ended: End) -> None:
    """Ask for a line. Changes of routes may be on the way together; what else there is sees all that was before it."""
    alone = not _changes_routes(line)
    if alone:
        conversation.settle()
    try:
        conversation.ask(line, print_lines, ended)
    except Failed as error:
        raise Failed(f"{line}: {error.message}; it was not carried out, nor what follows it") from error
    if alone:
        conversation.settle()


def _changes_routes(line: str) -> bool:
    """Whether a line is one of those that control carries out in their order, however many it has."""
    try:
        return isinstance(parse_command(line), RouteChange)
    except GrammarError:
        return False


def _typed(conversation: Conversation) -> Iterator[str]:
    """Return the lines of standard input; all is answered before more is waited for."""
    rest, file = b"", cast(BufferedReader, sys.stdin.buffer)
    while octets := file.read1(READ_OCTETS):
        *lines, rest = (rest + octets).split(b"\n")
        for line in lines:
            yield line.decode(errors="surrogateescape")
        conversation.settle()
        sys.stdout.flush()  # whoever is at the other end of a pipe may wait for it
    if rest:
        yield rest.decode(errors="surrogateescape")
    conversation.settle()


def joined(lines: Iterable[str]) -> Iterator[str]:
    """Make one line of what stands between `group start` and `group end`: here, every line travels by itself."""
    group: list[str] | None = None
    for line in map(str.strip, lines):
        if line == "group start" and group is None:
            group = []
        elif line == "group end" and group is not None:
            if group:
                yield f"peer * group {' ; '.join(group)}"
            group = None
        elif group is None:
            yield line
        elif not line.startswith("#"):
            group.append(line)
    if group is not None:
        raise Failed("'group end' is missing: nothing of the group was carried out")
