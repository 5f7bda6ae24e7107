"""The section `api NAME? { }` of a neighbor: which helpers may command it, and what they are told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from apid.config.directives import EVENTS
from apid.config.model import ApiBlock, MessageFlags
from apid.config.process import message_flags
from apid.config.reader import FAILED, Context, Setting, guarded, read_directive
from apid.config.source import Source
from apid.config.tree import Section, Statement
from apid.config.values import joined, read_list
from apid.grammar.words import Token, Words


@dataclass(slots=True)
class ApiDraft:
    """An `api` section as it was read, before the processes are known."""

    source: Source
    token: Token
    name: str
    processes: list[Token] = field(default_factory=list)
    matches: list[Token] = field(default_factory=list)
    settings: dict[str, Setting] = field(default_factory=dict)
    flags: dict[str, MessageFlags] = field(default_factory=dict)


def api_section(context: Context, section: Section, tokens: list[Token]) -> ApiDraft:
    """Read one `api` section."""
    draft = ApiDraft(section.source, tokens[0], tokens[1].text if len(tokens) > 1 else "")
    if len(tokens) > 2:
        context.problems.error(section.source, tokens[2], f"'{{' expected, not '{tokens[2].text}'")
    for node, words in context.statements(section, "api", ("receive", "send")):
        keyword = words[0].text
        if isinstance(node, Section):
            draft.flags[keyword] = message_flags(context, node, words, draft.flags.get(keyword))
        elif keyword in ("processes", "processes-match"):
            _names(context, node, words, draft)
        elif keyword in EVENTS:
            read_directive(context, node, words, EVENTS, draft.settings)
        else:
            known = (*EVENTS, "processes", "processes-match", "receive", "send")
            context.unknown(node, words, "api", known)
    return draft


def _names(context: Context, node: Statement, tokens: list[Token], draft: ApiDraft) -> None:
    """Read `processes [ … ]` or `processes-match [ … ]`; a later statement replaces an earlier one."""
    if tokens[0].text == "processes":
        names = guarded(context, node, tokens[1:], _process_names)
        if names is not FAILED:
            draft.processes = names
        return
    patterns = guarded(context, node, joined(tokens[1:]), _patterns)
    if patterns is FAILED:
        return
    draft.matches = []
    for pattern in patterns:
        try:
            re.compile(pattern.text)
        except re.error as error:
            message = f"'{pattern.text}' is not a regular expression: {error}"
            context.problems.error(node.source, pattern, message)
        else:
            draft.matches.append(pattern)


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
        receive=draft.flags.get("receive", MessageFlags()),
        send=draft.flags.get("send", MessageFlags()),
    )
