"""Read the directives of a section by their table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from msgspec import Struct

from apid.config.directives import REQUIRED, USUAL, Directive
from apid.config.files import Files, tokens_of
from apid.config.moved import moved
from apid.config.source import Problems, Source
from apid.config.tree import Node, Section, Statement
from apid.grammar.words import GrammarError, Token, Words, unknown_word

NO_SYNONYMS: Mapping[str, str] = {}


class Setting(Struct, frozen=True):
    """A directive's value, and the place of its keyword."""

    value: Any
    source: Source
    token: Token


class Context:
    """What every reader of a section is given: where to report, and the files to include."""

    __slots__ = ("files", "problems")

    def __init__(self, files: Files, problems: Problems) -> None:
        self.files = files
        self.problems = problems

    def statements(
        self, section: Section, kind: str, sections: Collection[str] = (), former: Collection[str] = ()
    ) -> Iterator[tuple[Node, list[Token]]]:
        """Yield each statement and each section of a section with its words.

        A section whose name is in neither `sections` nor `former`, which are of older releases, is reported and
        left out. `kind` names the section for errors.
        """
        for node in self.files.expand(section.children):
            tokens = tokens_of(node, self.problems)
            if isinstance(node, Section):
                name = tokens[0].text if tokens else ""
                if name in sections or name in former:
                    yield node, tokens
                elif tokens or node.start == node.brace:
                    self.unknown(node, tokens, kind, sections, "section")
            elif tokens:
                yield node, tokens

    def unknown(
        self, node: Node, tokens: list[Token], kind: str, known: Collection[str], what: str = "directive"
    ) -> None:
        """Report a word that has no meaning in a section, with what it has become or its nearest kin."""
        if not tokens:
            self.problems.error(node.source, node.start, "a section has a name before its '{'")
            return
        name = tokens[0].text
        hint = moved(kind, name)
        if hint:
            message = f"'{name}' is not a {what} of {kind}"
        elif name in known:
            message = f"'{name}' is a section: {name} {{ … }} expected"
        else:
            message = unknown_word(name, known, f"{what} of {kind}", USUAL.get(kind, ""))
        self.problems.error(node.source, tokens[0], message, hint)

    def no_words(self, section: Section, tokens: list[Token]) -> None:
        """Warn about words behind a section's name where they mean nothing."""
        if len(tokens) > 1:
            name = tokens[0].text
            self.problems.warn(section.source, tokens[1], f"nothing is expected between '{name}' and '{{'")


def read_directive(
    context: Context,
    node: Node,
    tokens: list[Token],
    table: Mapping[str, Directive],
    settings: dict[str, Setting],
) -> None:
    """Read a statement whose first word is in `table` into `settings`; the last of several counts.

    After an error the setting is there with the value `FAILED`, so that it does not count as missing.
    """
    keep(context, node, tokens[0], read_value(context, node, tokens, table[tokens[0].text]), settings)


def keep(context: Context, node: Node, keyword: Token, value: Any, settings: dict[str, Setting]) -> None:
    """Put a statement's value into `settings`, with a warning where it replaces another."""
    before = settings.get(keyword.text)
    if before is not None:
        place = f"line {before.token.line}"
        context.problems.warn(node.source, keyword, f"'{keyword.text}' replaces its value of {place}")
    settings[keyword.text] = Setting(value, node.source, keyword)


class _Failed:
    """Marks a value that was reported as an error."""


FAILED = _Failed()


def read_value(context: Context, node: Node, tokens: list[Token], directive: Directive) -> Any:
    """Return the value of a statement, or `FAILED`."""
    if len(tokens) == 1 and directive.bare is not REQUIRED:
        return directive.bare
    return guarded(context, node, tokens[1:], directive.value.read)


def guarded(context: Context, node: Node, tokens: list[Token], read: Callable[[Words], Any]) -> Any:
    """Let `read` consume all the tokens; report its error and return `FAILED`."""
    words = Words(tokens, end_of(node))
    try:
        value = read(words)
        words.finish()
    except GrammarError as error:
        context.problems.grammar(node.source, node.start, error)
        return FAILED
    return value


def read_settings(
    context: Context,
    section: Section,
    kind: str,
    table: Mapping[str, Directive],
    settings: dict[str, Setting],
    synonyms: Mapping[str, str] = NO_SYNONYMS,
) -> None:
    """Read a section that holds nothing but the directives of a table into `settings`."""
    for node, tokens in context.statements(section, kind):
        if tokens[0].text in synonyms:
            tokens[0] = Token(synonyms[tokens[0].text], tokens[0].line, tokens[0].column)
        if tokens[0].text in table:
            read_directive(context, node, tokens, table, settings)
        else:
            context.unknown(node, tokens, kind, table)


def end_of(node: Node) -> Token:
    """Give the place behind the last word, where an error about a missing one belongs."""
    line, column = node.source.place(node.end if isinstance(node, Statement) else node.brace)
    return Token("", line, column)
