"""Read configuration files, standard input and what they include."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping

from apid.config.errors import ConfigurationError
from apid.config.source import Problems, Source
from apid.config.tree import Node, Statement, parse
from apid.grammar.words import GrammarError, Token

STANDARD_INPUT = "-"
_ENCODING = "utf-8-sig"
FILE_LIMIT = 512 * 1024 * 1024  # octets; a million static routes take less than 100 MiB


class Files:
    """Opens files for one load and expands `include` wherever statements stand.

    `sources` has all that was read by name, in order; `environment` holds the values of `${NAME}`.
    """

    def __init__(self, environment: Mapping[str, str], problems: Problems) -> None:
        self.environment = environment
        self.problems = problems
        self.sources: dict[str, Source] = {}

    def open(self, name: str) -> tuple[Source, list[Node]] | None:
        """Read a file named by the user, `-` for standard input; None after an error."""
        try:
            if name == STANDARD_INPUT:
                return self._decoded("<stdin>", sys.stdin.buffer.read(), os.getcwd(), ())
            path = os.path.abspath(name)
            octets = _octets(path)
        except (OSError, ValueError) as error:
            message = f"the file cannot be read: {_reason(error)}"
            self.problems.errors.append(ConfigurationError(name, 0, 0, message))
            return None
        return self._decoded(name, octets, os.path.dirname(path), (path,))

    def parse_text(self, name: str, text: str, directory: str) -> tuple[Source, list[Node]]:
        """Take a text that is no file."""
        return self._parsed(Source(name, text, directory, self.environment))

    def expand(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """Yield the nodes, with those of the file in place of each `include "FILE";`."""
        for node in nodes:
            text = node.source.text
            if type(node) is Statement and text.startswith("include", node.start):
                tokens = tokens_of(node, self.problems)
                if tokens and tokens[0].text == "include" and not tokens[0].quoted:
                    yield from self._include(node.source, tokens)
                    continue
            yield node

    def _include(self, source: Source, tokens: list[Token]) -> Iterator[Node]:
        """Yield the nodes of an included file; its name is relative to the file that names it."""
        if len(tokens) != 2:
            self.problems.error(source, tokens[0], 'one file name expected: include "FILE";')
            return
        path = os.path.normpath(os.path.join(source.directory, tokens[1].text))
        if path in source.trail:
            chain = " includes ".join((*source.trail[source.trail.index(path) :], path))
            self.problems.error(source, tokens[1], f"the file includes itself: {chain}")
            return
        try:
            octets = _octets(path)
        except (OSError, ValueError) as error:
            self.problems.error(source, tokens[1], f"the file {path} cannot be read: {_reason(error)}")
            return
        included = self._decoded(path, octets, os.path.dirname(path), (*source.trail, path))
        if included is not None:
            yield from self.expand(included[1])

    def _decoded(
        self, name: str, octets: bytes, directory: str, trail: tuple[str, ...]
    ) -> tuple[Source, list[Node]] | None:
        """Take the octets of a file; None where they are not UTF-8, an error at the first that is not."""
        try:
            return self._parsed(Source(name, octets.decode(_ENCODING), directory, self.environment, trail))
        except UnicodeDecodeError as error:
            source = Source(name, error.object.decode(errors="replace"), directory, self.environment, trail)
            self.sources[name] = source
            message = f"the file is not UTF-8: it has an octet 0x{error.object[error.start]:02x} here"
            self.problems.error(source, len(error.object[: error.start].decode()), message)
            return None

    def _parsed(self, source: Source) -> tuple[Source, list[Node]]:
        self.sources[source.name] = source
        return source, parse(source, self.problems)


def tokens_of(node: Node, problems: Problems) -> list[Token]:
    """Cut a statement, or the words of a section, into tokens; nothing after an error."""
    try:
        return node.tokens()
    except GrammarError as error:
        problems.grammar(node.source, node.start, error)
        return []


def _octets(path: str) -> bytes:
    """Return a file's octets; of what would keep us waiting, as a pipe does, a ValueError."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ValueError(f"it is no regular file ('{STANDARD_INPUT}' stands for standard input)")
        octets = stream.read(FILE_LIMIT + 1)
    if len(octets) > FILE_LIMIT:
        raise ValueError(f"it is larger than {FILE_LIMIT >> 20} MiB")
    return octets


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)  # a name that no file can have
