"""The section `api NAME? { }` of a neighbor: which helpers may command it, and what they are told."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field

from apid.config.directives import EVENTS
from apid.config.model import ApiBlock
from apid.config.process import message_flags, read_flags
from apid.config.reader import FAILED, Context, Setting, guarded, keep, read_directive
from apid.config.source import Source
from apid.config.tree import Section, Statement
from apid.config.values import joined, read_list
from apid.grammar.words import Token, Words


class ApiDraft(Struct):
    """An `api` section as it was read, before the processes are known."""

    source: Source
    token: Token
    name: str
    names: dict[str, Setting] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)
    flags: dict[str, dict[str, Setting]] = field(default_factory=dict)

    @property
    def processes(self) -> list[Token]:
        """The names of processes."""
        return self._tokens("processes")

    @property
    def matches(self) -> list[Token]:
        """The patterns that names of processes match."""
        return self._tokens("processes-match")

    def _tokens(self, keyword: str) -> list[Token]:
        tokens: list[Token] = self.names[keyword].value if keyword in self.names else []
        return tokens


def api_section(context: Context, section: Section, tokens: list[Token]) -> ApiDraft:
    """Read one `api` section."""
    draft = ApiDraft(section.source, tokens[0], tokens[1].text if len(tokens) > 1 else "")
    if len(tokens) > 2:
        context.problems.error(section.source, tokens[2], f"'{{' expected, not '{tokens[2].text}'")
    for node, words in context.statements(section, "api", ("receive", "send")):
        keyword = words[0].text
        if isinstance(node, Section):
            read_flags(context, node, words, draft.flags)
        elif keyword in _NAMES:
            keep(context, node, words[0], _NAMES[keyword](context, node, words), draft.names)
        elif keyword in EVENTS:
            read_directive(context, node, words, EVENTS, draft.settings)
        else:
            known = (*EVENTS, *_NAMES, "receive", "send")
            context.unknown(node, words, "api", known)
    return draft


def _processes(context: Context, node: Statement, tokens: list[Token]) -> list[Token]:
    """Read `processes [ … ]`."""
    found = guarded(context, node, tokens[1:], _process_names)
    names: list[Token] = [] if found is FAILED else found
    return names


def _processes_match(context: Context, node: Statement, tokens: list[Token]) -> list[Token]:
    """Read `processes-match [ … ]`; return the patterns that are good."""
    patterns = guarded(context, node, joined(tokens[1:]), _patterns)
    good = []
    for pattern in [] if patterns is FAILED else patterns:
        try:
            re.compile(pattern.text)
        except (re.error, OverflowError, RecursionError) as error:  # of numbers too large, of brackets too many
            message = f"'{pattern.text}' is not a regular expression: {error}"
            context.problems.error(node.source, pattern, message)
        else:
            good.append(pattern)
    return good


_NAMES = {"processes": _processes, "processes-match": _processes_match}


def _process_names(words: Words) -> list[Token]:
    return read_list(words, "the name of a process")


def _patterns(words: Words) -> list[Token]:
    return read_list(words, "a regular expression")


def resolve_api(
    context: Context, drafts: list[ApiDraft], names: Mapping[str, object], neighbor: str
) -> tuple[ApiBlock, ...]:
    """Check the processes of a neighbor's `api` sections and compile these; unnamed ones are numbered.

    `names` has every process of the file, those with errors of their own included.
    """
    blocks: list[ApiBlock] = []
    matching = next((draft for draft in drafts if draft.matches), None)
    if matching is not None and any(draft.processes for draft in drafts):
        message = "'processes' and 'processes-match' exclude each other within a neighbor"
        context.problems.error(matching.source, matching.matches[0], message)
    seen: set[str] = set()
    for number, draft in enumerate(drafts, 1):
        if draft.name and draft.name in seen:
            message = f"the neighbor {neighbor} has two api sections named '{draft.name}'"
            context.problems.error(draft.source, draft.token, message)
        seen.add(draft.name)
        blocks.append(_block(context, draft, names, neighbor, number))
    return tuple(blocks)


def _block(context: Context, draft: ApiDraft, names: Mapping[str, object], neighbor: str, number: int) -> ApiBlock:
    processes = [token.text for token in draft.processes]
    for token in draft.processes:
        if token.text not in names:
            message = f"the process '{token.text}' of the neighbor {neighbor} is not defined"
            hint = f"defined: {', '.join(names)}" if names else ""
            context.problems.error(draft.source, token, message, hint)
    for pattern in draft.matches:
        matched = [name for name in names if re.match(pattern.text, name)]
        if not matched:
            message = f"no process matches '{pattern.text}' of the neighbor {neighbor}"
            context.problems.error(draft.source, pattern, message)
        processes += matched
    return ApiBlock(
        draft.name or f"api-{number}",
        processes=tuple(dict.fromkeys(processes)),
        processes_match=tuple(pattern.text for pattern in draft.matches),
        **{name.replace("-", "_"): setting.value for name, setting in draft.settings.items()},
        receive=message_flags(draft.flags.get("receive", {})),
        send=message_flags(draft.flags.get("send", {})),
    )
