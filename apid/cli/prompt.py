"""`bgpbus cli` on a terminal: a prompt, where commands may be edited, completed and repeated."""

from __future__ import annotations

from contextlib import suppress

import click

from apid.cli.ask import Conversation, print_lines
from apid.cli.errors import Failed
from apid.grammar.abbreviations import in_full, next_words
from bus.daemon import RunDirectory

with suppress(ImportError):  # Python can be built without it: lines are plain then
    import readline

    def _complete(text: str, number: int) -> str | None:
        before = readline.get_line_buffer()[: readline.get_begidx()]
        found = [f"{word} " for word in next_words(*before.split()) if word.startswith(text)]
        return found[number] if number < len(found) else None

    readline.set_completer(_complete)
    readline.set_completer_delims(" ")
    readline.parse_and_bind("tab: complete")

PROMPT = "bgpbus> "
ENDS = ("exit", "quit")


def converse(run: RunDirectory) -> None:
    """Carry out what is typed until `exit`, `quit` or the end of the input. Raises Failed where bgpbus does not run."""
    conversation = Conversation(run)
    try:
        while (line := _typed()) not in ENDS:
            if line:
                _carry_out(conversation, in_full(line))
    finally:
        conversation.close()


def _typed() -> str:
    try:
        return input(PROMPT).strip()
    except KeyboardInterrupt:  # this line is given up, as in a shell
        click.echo()
        return ""
    except EOFError:
        click.echo()
        return ENDS[0]


def _carry_out(conversation: Conversation, line: str) -> None:
    """Print the answer to a command; `done` where there is nothing else to say."""
    silent = True

    def take(lines: list[str]) -> None:
        nonlocal silent
        silent = False
        print_lines(lines)

    def end(error: Failed | None) -> None:
        if error is not None:
            error.show()
        elif silent:
            click.echo("done")

    try:
        conversation.ask(line, take, end)
        conversation.settle()
    except Failed as error:
        error.show()
