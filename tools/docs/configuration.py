"""The generated parts of docs/reference/configuration.md, from the tables of `apid.config`."""

from __future__ import annotations

from collections.abc import Mapping

from apid.config.directives import CAPABILITY, EVENTS, MESSAGES, NEIGHBOR, PROCESS, REQUIRED, Directive
from apid.config.draft import SECTIONS
from apid.config.model import ALL_FAMILIES
from apid.config.moved import HINTS
from bgp.family import FAMILIES
from bgp.settings import ADD_PATH_FAMILIES
from tools.docs.markdown import code, sentence, table


def _default(directive: Directive) -> str:
    """Say what holds where a directive is absent."""
    if directive.absent:
        return directive.absent
    if directive.default is REQUIRED:
        return "**required**"
    if isinstance(directive.default, bool):
        return "on" if directive.default else "off"
    return "none" if directive.default is None else code(str(directive.default))


def _bare(directive: Directive) -> str:
    """Say what a directive means without a value."""
    if directive.bare is REQUIRED or directive.bare == "":
        return "–"
    if isinstance(directive.bare, bool):
        return "on" if directive.bare else "off"
    return code(str(directive.bare))


def _meaning(directive: Directive) -> str:
    return f"{directive.help} *{directive.differs}*" if directive.differs else directive.help


def directives(rows: Mapping[str, Directive]) -> str:
    """Render a table of directives."""
    return table(
        ("directive", "value", "without value", "absent", "meaning"),
        [
            (code(name), code(each.value.syntax), _bare(each), _default(each), _meaning(each))
            for name, each in rows.items()
        ],
    )


def switches(rows: Mapping[str, Directive]) -> str:
    """Render a table of switches that are off where they are absent."""
    return table(("word", "meaning"), [(code(f"{name};"), each.help) for name, each in rows.items()])


def families() -> str:
    """Render the families that can be configured."""
    return table(
        ("family", "offered without `family`", "ADD-PATH"),
        [
            (code(name), "yes" if family in ALL_FAMILIES else "no", "yes" if family in ADD_PATH_FAMILIES else "no")
            for name, family in FAMILIES.items()
        ],
    )


def sections() -> str:
    """Render the sections of a neighbor."""
    return table(("section", "what it holds"), [(code(f"{name} {{ }}"), text) for name, text in SECTIONS.items()])


def moved() -> str:
    """Render the words of other releases."""
    return table(
        ("in", "word", "what to do"),
        [
            (section, code(word), sentence(hint))
            for section, words in HINTS.items()
            for word, hint in sorted(words.items())
        ],
    )


def regions() -> dict[str, str]:
    """Return what stands in the page, by name."""
    return {
        "process": directives({name: each for name, each in PROCESS.items() if name not in EVENTS}),
        "neighbor": directives(NEIGHBOR),
        "sections": sections(),
        "families": families(),
        "capability": directives(CAPABILITY),
        "events": switches(EVENTS),
        "messages": switches(MESSAGES),
        "moved": moved(),
    }
