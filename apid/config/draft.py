"""A `neighbor` section as it was read, before templates are merged into it and it is checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from apid.config.api import ApiDraft, api_section
from apid.config.directives import CAPABILITY, NEIGHBOR
from apid.config.families import FamilyPlace, family_section, next_hop_section
from apid.config.operational import OperationalMessage, parse_operational
from apid.config.prefix_limit import LimitPlace, prefix_limit_section
from apid.config.reader import FAILED, Context, Setting, guarded, read_directive, read_settings
from apid.config.routes import Routes, announce_section, route_section
from apid.config.source import Source
from apid.config.tree import Node, Section, Statement
from apid.config.values import read_list
from apid.grammar.words import Token, Words

SECTIONS: Mapping[str, str] = {
    "family": "The address families offered; all of them where the section is absent.",
    "capability": "The capabilities offered.",
    "add-path": "Limits ADD-PATH to these families.",
    "nexthop": "Families that may have next hops of another family (RFC 8950).",
    "maximum-prefix": "How many routes of a family the peer may announce, and what follows beyond that.",
    "api": "Helpers that may command this neighbor and are told about it.",
    "static": "Routes to announce.",
    "announce": "Routes to announce, by address family.",
    "flow": "FlowSpec rules to announce.",
    "l2vpn": "VPLS routes to announce.",
    "operational": "OPERATIONAL messages to send when the session comes up.",
}
_ROUTES = ("static", "flow", "l2vpn")
TEMPLATES_WIN = "a template's value wins over the neighbor's, a later template's over an earlier one's, as in ExaBGP"


class Draft:
    """What one neighbor or template says. `words` are those before its brace."""

    def __init__(self, source: Source, words: list[Token]) -> None:
        self.source = source
        self.words = words
        self.settings: dict[str, Setting] = {}
        self.capability: dict[str, Setting] = {}
        self.families: list[FamilyPlace] = []
        self.all_families: dict[str, Token] = {}
        self.next_hops: list[FamilyPlace] = []
        self.add_path: list[FamilyPlace] = []
        self.prefix_limits: list[LimitPlace] = []
        self.api: list[ApiDraft] = []
        self.routes = Routes()
        self.operational: list[OperationalMessage] = []
        self.inherit: list[Token] = []
        self._overruled: dict[str, Setting] = {}  # what we say and a template says too
        self._winners: dict[str, str] = {}  # the template that has the last word

    @property
    def place(self) -> Token:
        """The word where an error about the whole belongs."""
        return self.words[1] if len(self.words) > 1 else self.words[0]

    def merge(self, template: Draft, name: str) -> None:
        """Add what a template says: its single values win, its lists come behind ours."""
        for ours, theirs in ((self.settings, template.settings), (self.capability, template.capability)):
            for key, setting in theirs.items():
                if key in ours and key not in self._winners:
                    self._overruled[key] = ours[key]
                ours[key] = setting
                self._winners[key] = name
        for mine, more in (
            (self.families, template.families),
            (self.next_hops, template.next_hops),
            (self.add_path, template.add_path),
        ):
            present = {(place.family, place.afi) for place in mine}
            mine += [place for place in more if (place.family, place.afi) not in present]
        limited = {place.limit.family for place in self.prefix_limits}
        self.prefix_limits += [place for place in template.prefix_limits if place.limit.family not in limited]
        self.api += template.api
        self.routes.merge(template.routes)
        self.operational += template.operational

    def warn_of_overruled(self, context: Context) -> None:
        """Tell which of our single values do not count, once all templates are merged."""
        for key, own in self._overruled.items():
            setting = self.capability.get(key) or self.settings[key]
            if setting.value != own.value:
                message = f"'{key}' has no effect here: the template '{self._winners[key]}' sets another value"
                context.problems.warn(own.source, own.token, message, TEMPLATES_WIN)


def read_draft(context: Context, section: Section, words: list[Token]) -> Draft:
    """Read the statements and sections of a neighbor or template."""
    draft = Draft(section.source, words)
    for node, tokens in context.statements(section, "neighbor", SECTIONS):
        _read(context, node, tokens, draft)
    return draft


def check_group(context: Context, section: Section, words: list[Token]) -> None:
    """Report what is wrong inside a group of ExaBGP 3: neighbors, and what is common to them."""
    common = Draft(section.source, words)
    for node, tokens in context.statements(section, "neighbor", (*SECTIONS, "neighbor")):
        if isinstance(node, Section) and tokens[0].text == "neighbor":
            read_draft(context, node, tokens)
        else:
            _read(context, node, tokens, common)


def _read(context: Context, node: Node, tokens: list[Token], draft: Draft) -> None:
    """Read one statement or section of a neighbor."""
    keyword = tokens[0].text
    if isinstance(node, Section):
        _section(context, node, tokens, draft)
    elif keyword == "inherit":
        _inherit(context, node, tokens, draft)
    elif keyword in NEIGHBOR:
        read_directive(context, node, tokens, NEIGHBOR, draft.settings)
    else:
        context.unknown(node, tokens, "neighbor", (*NEIGHBOR, "inherit", *SECTIONS))


def _section(context: Context, section: Section, tokens: list[Token], draft: Draft) -> None:
    keyword = tokens[0].text
    if keyword == "api":
        draft.api.append(api_section(context, section, tokens))
    elif keyword in _ROUTES:
        route_section(context, section, tokens, keyword, draft.routes)
        if keyword == "l2vpn":
            draft.routes.end_l2vpn()
    elif keyword == "announce":
        announce_section(context, section, tokens, draft.routes)
    else:
        context.no_words(section, tokens)
        if keyword == "family":
            family_section(context, section, "family", draft.families, draft.all_families)
        elif keyword == "add-path":
            family_section(context, section, "add-path", draft.add_path, draft.all_families)
        elif keyword == "nexthop":
            next_hop_section(context, section, draft.next_hops)
        elif keyword == "maximum-prefix":
            prefix_limit_section(context, section, draft.prefix_limits)
        elif keyword == "capability":
            read_settings(context, section, "capability", CAPABILITY, draft.capability)
        else:
            _operational(context, section, draft)


def _operational(context: Context, section: Section, draft: Draft) -> None:
    for node, tokens in context.statements(section, "operational"):
        message = guarded(context, node, tokens, parse_operational)
        if message is not FAILED:
            draft.operational.append(message)


def _inherit(context: Context, node: Statement, tokens: list[Token], draft: Draft) -> None:
    """Read `inherit NAME;`, `inherit [ NAME NAME ];`; several statements add up."""
    names = guarded(context, node, tokens[1:], _template_names)
    if names is not FAILED:
        draft.inherit += names


def _template_names(words: Words) -> list[Token]:
    return read_list(words, "the name of a template")
