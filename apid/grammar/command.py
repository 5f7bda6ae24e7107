"""Read a command line of a helper or of the command line into a value."""

from __future__ import annotations

from msgspec.structs import replace

from apid.grammar.command_kinds import (
    Acknowledge,
    ApiVersion,
    Batch,
    Bye,
    ClearAdjRib,
    Command,
    Comment,
    Crash,
    Debug,
    EndOfRib,
    Flush,
    FlushAdjRibOut,
    Group,
    Help,
    OperationalMessage,
    PeerCreate,
    PeerDelete,
    PeerEnable,
    PeerList,
    PeerShutdown,
    Ping,
    QueueStatus,
    Reload,
    Reset,
    Restart,
    RouteChange,
    RouteRefresh,
    ShowAdjRib,
    ShowNeighbor,
    Shutdown,
    Status,
    Sync,
    Synchronise,
    Teardown,
    Version,
    Watchdog,
)
from apid.grammar.command_names import COMMANDS, FOLLOWING, ROWS, Row
from apid.grammar.command_table import READERS
from apid.grammar.selector import EVERYONE, Selector, read_selector
from apid.grammar.tokens import command_tokens
from apid.grammar.words import GrammarError, Token, Words, unknown_word

__all__ = [
    "COMMANDS",
    "Acknowledge",
    "ApiVersion",
    "Batch",
    "Bye",
    "ClearAdjRib",
    "Command",
    "Comment",
    "Crash",
    "Debug",
    "EndOfRib",
    "Flush",
    "FlushAdjRibOut",
    "Group",
    "Help",
    "OperationalMessage",
    "PeerCreate",
    "PeerDelete",
    "PeerEnable",
    "PeerList",
    "PeerShutdown",
    "Ping",
    "QueueStatus",
    "Reload",
    "Reset",
    "Restart",
    "RouteChange",
    "RouteRefresh",
    "Row",
    "ShowAdjRib",
    "ShowNeighbor",
    "Shutdown",
    "Status",
    "Sync",
    "Synchronise",
    "Teardown",
    "Version",
    "Watchdog",
    "parse_command",
    "parse_selector",
]

LONGEST_NAME = max(map(len, ROWS))

ROUTES_VERBS = {"add": "announce", "remove": "withdraw", "list": "show adj-rib out"}  # of release 6: what they mean
SYNCHRONISATION = {"sync": True, "async": False}  # words that may end a command: whether its answer waits


def parse_command(line: str) -> Command:
    """Read one line; raises `GrammarError` that names the word and what was expected.

    An empty line is an error, as in release 5.
    """
    stripped = line.strip()
    if stripped.startswith("#"):
        return Comment()
    if stripped == "debug" or stripped.startswith("debug "):
        return Debug(stripped[6:])
    return _parse(command_tokens(line), EVERYONE)


def parse_selector(text: str) -> Selector:
    """Read the selectors that stand before a command; an empty text is for everyone."""
    words = Words(command_tokens(text))
    selector = read_selector(words)
    words.finish()
    return selector


def _parse(tokens: list[Token], selector: Selector, grouped: bool = False) -> Command:
    """Read a command from its tokens; `selector` is what stood before the group that it is in, if it is `grouped`."""
    row = _find(tokens)
    if row is None or row[0].selectable:
        words = Words(tokens)
        alternatives = read_selector(words)
        if alternatives.alternatives:
            selector = alternatives
            tokens = _rest(words)
            if tokens and tokens[0].text == "group":
                if grouped:
                    raise GrammarError("a group cannot be in a group", tokens[0])
                return _batch(tokens[1:], selector)
            if len(tokens) > 1 and tokens[0].text == "routes":
                tokens = _routes(tokens)
            row = _find(tokens)
    if row is None:
        raise _unknown(tokens, bool(selector.alternatives))
    found, length = row
    if selector.alternatives and not found.selectable:
        raise GrammarError(f"'{found.name}' takes no selector", tokens[0])
    try:
        return _read(found, tokens[length:], tokens[-1], selector)
    except GrammarError:
        if tokens[-1].text not in SYNCHRONISATION or len(tokens) == length:
            raise
        command = _read(found, tokens[length:-1], tokens[-1], selector)
        return replace(command, wait=SYNCHRONISATION[tokens[-1].text]) if isinstance(command, RouteChange) else command


def _read(row: Row, tokens: list[Token], end: Token, selector: Selector) -> Command:
    """Read what follows the name of a command."""
    words = Words(tokens, end)
    command = READERS[row.name](words, selector)
    words.finish()
    return command


def _rest(words: Words) -> list[Token]:
    """Return the tokens that are left."""
    tokens = []
    while words:
        tokens.append(words.token("command"))
    return tokens


def _find(tokens: list[Token]) -> tuple[Row, int] | None:
    """Return the row with the longest name that the tokens begin with, and the name's length."""
    name = tuple(token.text for token in tokens[:LONGEST_NAME])
    for length in range(len(name), 0, -1):
        row = ROWS.get(name[:length])
        if row is not None:
            return row, length
    return None


def _unknown(tokens: list[Token], selected: bool) -> GrammarError:
    """Say which word of a command nobody knows."""
    if not tokens:
        return GrammarError("a command is expected" + (" after the selector" if selected else ", not an empty line"))
    words = tuple(token.text for token in tokens)
    known = 0
    while known < len(words) and words[known] in FOLLOWING.get(words[:known], ()):
        known += 1
    choice = FOLLOWING.get(words[:known], set())
    if known == len(words):
        return GrammarError(f"'{' '.join(words)}' is not complete: {' or '.join(sorted(choice))} expected", tokens[-1])
    what = f"word after '{' '.join(words[:known])}'" if known else "command"
    return GrammarError(unknown_word(words[known], choice, what), tokens[known])


def _batch(tokens: list[Token], selector: Selector) -> Batch:
    """Read `CMD ; CMD …` after `group`: changes of routes, cut at `;` outside of braces."""
    commands: list[RouteChange] = []
    part: list[Token] = []
    depth = 0
    for token in [*tokens, Token(";")]:
        depth += (token.text == "{") - (token.text == "}")
        if token.text != ";" or depth:
            part.append(token)
            continue
        if part:
            command = _parse(part, selector, grouped=True)
            if not isinstance(command, RouteChange):
                raise GrammarError(f"'{part[0].text}' cannot be in a group: only changes of routes can", part[0])
            commands.append(command)
        part = []
    if not commands:
        raise GrammarError("a group holds at least one command")
    return Batch(tuple(commands))


def _routes(tokens: list[Token]) -> list[Token]:
    """Turn `routes [AFI [SAFI]] add|remove|list …` into `announce|withdraw …` and `show adj-rib out …`."""
    verb = next((at for at, token in enumerate(tokens) if at and token.text in ROUTES_VERBS), 0)
    family = tokens[1:verb]
    if not verb or len(family) > 2:
        raise GrammarError(unknown_word(tokens[1].text, ROUTES_VERBS, "word after 'routes'"), tokens[1])
    place, rest = tokens[verb], tokens[verb + 1 :]
    if len(family) == 2 and place.text != "list" and rest and rest[0].text == "route":
        rest = rest[1:]  # the family says it: `announce ipv4 unicast PREFIX …`
    elif place.text != "list":
        family = []
    words = [Token(word, place.line, place.column) for word in ROUTES_VERBS[place.text].split()]
    return [*words, *family, *rest]
