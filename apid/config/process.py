"""The section `process NAME { }`: one helper program and what it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping

from apid.config.directives import MESSAGE_SYNONYMS, MESSAGES, PROCESS
from apid.config.model import MessageFlags, Process
from apid.config.program import ProgramError, resolve
from apid.config.reader import Context, Setting, keep, read_directive, read_settings
from apid.config.tree import Node, Section
from apid.config.values import joined
from apid.grammar.words import Token

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_MARKS = frozenset("(),{}")


def process_section(context: Context, section: Section, tokens: list[Token]) -> Process | None:
    """Read one process; None where it has an error."""
    errors = len(context.problems.errors)
    name = _name(context, section, tokens)
    settings: dict[str, Setting] = {}
    flags: dict[str, dict[str, Setting]] = {}
    for node, words in context.statements(section, "process", ("receive", "send")):
        keyword = words[0].text
        if isinstance(node, Section):
            read_flags(context, node, words, flags)
        elif keyword == "run":
            keep(context, node, words[0], _run(context, node, words), settings)
        elif keyword in PROCESS:
            read_directive(context, node, words, PROCESS, settings)
        else:
            context.unknown(node, words, "process", (*PROCESS, "receive", "send"))
    if "run" not in settings and len(context.problems.errors) == errors:
        message = f"the process '{name}' has no program: 'run PROGRAM;' expected"
        context.problems.error(section.source, section.start, message)
    if len(context.problems.errors) > errors:
        return None
    layout = "by-prefix" if "receive" in flags else "by-next-hop"
    plain = {key.replace("-", "_"): setting.value for key, setting in settings.items()}
    plain.setdefault("json_layout", layout)
    line, column = section.source.place(section.start)
    return Process(
        name,
        receive=message_flags(flags["receive"]) if "receive" in flags else None,
        send=message_flags(flags["send"]) if "send" in flags else None,
        file=section.source.name,
        line=line,
        column=column,
        **plain,
    )


def read_flags(context: Context, section: Section, tokens: list[Token], flags: dict[str, dict[str, Setting]]) -> None:
    """Read a `receive` or `send` section into `flags` by its name; a second one adds to the first."""
    context.no_words(section, tokens)
    settings = flags.setdefault(tokens[0].text, {})
    read_settings(context, section, "messages", MESSAGES, settings, MESSAGE_SYNONYMS)


def message_flags(settings: Mapping[str, Setting]) -> MessageFlags:
    """Return what the settings of a `receive` or `send` section ask for."""
    return MessageFlags(**{name: setting.value for name, setting in settings.items()})


def _name(context: Context, section: Section, tokens: list[Token]) -> str:
    """Return the process's name, and report one that is missing or cannot be one."""
    if len(tokens) < 2:
        context.problems.error(section.source, section.start, "a process has a name: process NAME { … }")
        return ""
    name = tokens[1]
    if not _NAME.fullmatch(name.text):
        message = f"'{name.text}' is not the name of a process: letters, digits, '.', '_' and '-' expected"
        context.problems.error(section.source, name, message)
    elif len(tokens) > 2:
        context.problems.error(section.source, tokens[2], f"'{{' expected, not '{tokens[2].text}'")
    return name.text


def _run(context: Context, node: Node, tokens: list[Token]) -> tuple[str, ...]:
    """Resolve the program of a `run` directive; empty after an error."""
    words = joined(tokens[1:])
    if words and words[0].text == "[" and not words[0].quoted:
        words = [word for word in words if word.quoted or word.text not in ("[", "]", ",")]
    if not words:
        context.problems.error(node.source, tokens[0], "a program expected: run PROGRAM ARGUMENT…")
        return ()
    for word in words:
        if "\0" in word.text:
            message = r"the character \u0000 cannot stand in the name or an argument of a program"
            context.problems.error(node.source, word, message)
            return ()
    program = words[0].text
    try:
        path = resolve(program, node.source.directory, node.source.environment)
    except ProgramError as error:
        hint = "quote each argument by itself, not the whole line" if " " in program else ""
        context.problems.error(node.source, words[0], str(error), hint)
        return ()
    return (path, *(word.text for word in words[1:]))
