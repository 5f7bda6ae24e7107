"""Read FlowSpec commands fast: what helpers that fight floods send by the thousand.

Of `{ match { STATEMENT; … } then { … } }` for IPv4, each statement but a prefix repeats, and so does the whole `then`
part: both are read once, by `parse_command`, and remembered as octets. Whatever is not of this form, or not plain
IPv4, is left to `parse_command`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from socket import AF_INET, inet_pton
from typing import TypeVar

from apid.grammar.command import parse_command
from apid.grammar.command_kinds import RouteChange
from apid.grammar.route import RouteEntry
from apid.grammar.words import GrammarError
from apid.memory import Memory
from bgp.family import IPV4_FLOW

_BLOCK = re.compile(r"\{\s*match\s*\{([^{}\"'#]*);\s*\}\s*(?:then\s*\{([^{}\"'#]*)\}\s*)?\}\s*")
_PREFIX_KINDS = {"destination": 1, "source": 2, "destination-ipv4": 1, "source-ipv4": 2}
_LONG = 240  # octets; from here on the length takes two (RFC 8955 section 4.1)
_NO_PATH_ID = bytes(4)

Key = TypeVar("Key", str, tuple[bool, str | None])


class FlowReader:
    """Remembers statements and `then` parts, `most` octets of each."""

    __slots__ = ("_actions", "_statements")

    def __init__(self, most: int) -> None:
        self._statements = Memory[str, bytes | None](most)
        self._actions = Memory[tuple[bool, str | None], bytes | None](most)

    def read(self, announce: bool, text: str) -> tuple[bytes, bytes] | None:
        """Return attribute set and item of what follows `flow route`; None where it is not plain."""
        block = _BLOCK.fullmatch(text)
        if block is None:
            return None
        match, then = block.groups()
        components = []
        for statement in match.split(";"):
            component = _prefix(statement) or _known(self._statements, statement, len(statement), _component)
            if component is None:
                return None
            components.append(component)
        components.sort()
        if len({component[0] for component in components}) != len(components):
            return None
        attributes = _known(self._actions, (announce, then), len(then or ""), _attributes)
        if attributes is None:
            return None
        octets = b"".join(components)
        length = len(octets)
        if length >= _LONG:
            return None
        return attributes, _NO_PATH_ID + bytes((length,)) + octets


def _known(
    memory: Memory[Key, bytes | None], key: Key, length: int, learn: Callable[[Key], bytes | None]
) -> bytes | None:
    try:
        return memory.known[key]
    except KeyError:
        return memory.keep(key, learn(key), length)


def _prefix(statement: str) -> bytes | None:
    """Return the component of `source PREFIX` or `destination PREFIX`; None for anything else."""
    keyword, _, prefix = statement.strip().partition(" ")
    kind = _PREFIX_KINDS.get(keyword)
    if kind is None:
        return None
    address, slash, digits = prefix.partition("/")
    try:
        packed = inet_pton(AF_INET, address)
    except OSError:
        return None
    if not slash or not digits.isdecimal() or not digits.isascii() or int(digits) > 32 or str(int(digits)) != digits:
        return None
    length = int(digits)
    octets = (length + 7) // 8
    if int.from_bytes(packed, "big") & ((1 << 32 - length) - 1):
        return None
    return bytes((kind, length)) + packed[:octets]


def _component(statement: str) -> bytes | None:
    entry = _parsed(f"announce flow route {{ match {{ {statement}; }} }}")
    return entry.items[0][5:] if entry is not None and len(entry.items[0]) < _LONG else None


def _attributes(key: tuple[bool, str | None]) -> bytes | None:
    announce, then = key
    actions = "" if then is None else f"then {{ {then} }}"
    entry = _parsed(
        f"{'announce' if announce else 'withdraw'} flow route {{ match {{ source 0.0.0.0/0; }} {actions} }}"
    )
    return entry.attributes if entry is not None else None


def _parsed(line: str) -> RouteEntry | None:
    """Parse a command that holds one plain IPv4 rule; None where it does not."""
    try:
        command = parse_command(line)
    except GrammarError:
        return None
    if not isinstance(command, RouteChange) or len(command.entries) != 1:
        return None
    entry = command.entries[0]
    plain = entry.family == IPV4_FLOW and len(entry.items) == 1 and entry.watchdog is None and entry.name is None
    return entry if plain else None
