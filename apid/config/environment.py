"""Load the environment: options from variables and the ini file, by ExaBGP's names and precedence."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import fields, replace

from apid.config.options import HIDDEN_SECTIONS, OTHER_RELEASES, SYNONYMS, Environment, Kind, Meaning
from apid.grammar.words import is_unicode, unknown_word

PREFIX = "exabgp"
ENV_FILE = "etc/exabgp/exabgp.env"
DEFAULTS = Environment()


class InvalidEnvironment(Exception):
    """Options that cannot be used: one line for each, with where it was set."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Option(Struct, frozen=True):
    """One option: its full name as in `tcp.port`, its section and field in `Environment`, kind and help.

    One with a `reason` is only accepted.
    """

    name: str
    section: str
    field: str
    kind: Kind
    default: Any
    help: str
    reason: str


def _options() -> dict[str, Option]:
    """Collect the options from the fields of `Environment`."""
    found: dict[str, Option] = {}
    for section in fields(Environment):
        for item in fields(getattr(DEFAULTS, section.name)):
            name = f"{section.name}.{item.name.replace('_', '-')}"
            meaning: Meaning = get_args(item.type)[1]
            kind, text, reason = meaning.kind, meaning.help, meaning.reason
            found[name] = Option(name, section.name, item.name, kind, item.default, text, reason)
    return found


OPTIONS: Mapping[str, Option] = _options()


def find_env_file(variables: Mapping[str, str]) -> str | None:
    """Return the ini file to read: `EXABGP_ENVFILE`, or etc/exabgp/exabgp.env below the root.

    The root is `EXABGP_ROOT`, else the prefix of the installation, else `/`. A file that the user named is
    returned even if it is missing, so that reading it fails.
    """
    named = variables.get("EXABGP_ENVFILE", "")
    if named:
        return named
    root = variables.get("EXABGP_ROOT", "")
    for place in (root,) if root else (sys.prefix, "/"):
        path = os.path.join(place, ENV_FILE)
        if os.path.isfile(path):
            return path
    return None


def load_environment(
    variables: Mapping[str, str], ini: str = "", ini_name: str = "exabgp.env"
) -> tuple[Environment, list[str]]:
    """Return the environment and its warnings; raise `InvalidEnvironment` with every bad value.

    The strongest is a variable `exabgp.SECTION.OPTION`, then `exabgp_SECTION_OPTION`, then the text `ini`
    of the file `ini_name`, then the default.
    """
    warnings: list[str] = []
    problems: list[str] = []
    values: dict[str, Any] = {}
    for place, name, text in _settings(variables, ini, ini_name, warnings):
        option = _known(name, place, warnings)
        if option is None:
            continue
        if not is_unicode(text):
            problems.append(f"{place}: the value of {option.name} is not UTF-8")
            continue
        try:
            values[option.name] = option.kind.read(text)
        except ValueError as error:
            problems.append(f"{place}: '{text}' is not a value of {option.name}: {error}")
    if problems:
        raise InvalidEnvironment(problems)
    return _environment(values), warnings


def _settings(
    variables: Mapping[str, str], ini: str, ini_name: str, warnings: list[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield place, name and text of every setting, the weakest first."""
    yield from _ini(ini, ini_name, warnings)
    for separator in ("_", "."):
        for variable, text in variables.items():
            if variable.startswith(PREFIX + separator):
                name = variable[len(PREFIX) + 1 :]
                if separator == "_":
                    section, _, option = name.partition("_")
                    name = f"{section}.{option}" if option else section
                yield f"environment variable {variable}", name, _unquoted(text.strip())


def _ini(text: str, name: str, warnings: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the settings of an ini text; comments begin with # or ;, at a line's start or after a space."""
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        place = f"{name}:{number}"
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            section = line.partition("]")[0][1:].strip()
            continue
        option, equals, value = line.partition("=")
        if not equals:
            warnings.append(f"{place}: 'OPTION = VALUE' expected, not '{line}'")
        elif not section.startswith(PREFIX + "."):
            warnings.append(f"{place}: the section [{section}] is not one of ours: [exabgp.SECTION] expected")
        else:
            yield place, f"{section[len(PREFIX) + 1 :]}.{option.strip()}", _unquoted(_uncommented(value))


def _uncommented(value: str) -> str:
    """Cut a comment off a value, but not out of quotes."""
    value = value.strip()
    if value[:1] in ("'", '"') and value.find(value[0], 1) > 0:
        return value[: value.find(value[0], 1) + 1]
    for mark in (" #", "\t#", " ;", "\t;"):
        value = value.partition(mark)[0]
    return "" if value[:1] in ("#", ";") else value.rstrip()


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def _known(name: str, place: str, warnings: list[str]) -> Option | None:
    """Return the option of a name; warn where there is none."""
    option = OPTIONS.get(SYNONYMS.get(name, name))
    if option is None:
        if name in OTHER_RELEASES:
            warnings.append(f"{place}: {name} has no effect here")
        else:
            warnings.append(f"{place}: {unknown_word(name, OPTIONS, 'option')}")
    return option


def _environment(values: Mapping[str, Any]) -> Environment:
    """Build the environment from the values that were set."""
    sections: dict[str, Any] = {}
    for section in fields(Environment):
        chosen = {
            option.field: values[option.name]
            for option in OPTIONS.values()
            if option.section == section.name and option.name in values
        }
        sections[section.name] = replace(getattr(DEFAULTS, section.name), **chosen)
    return Environment(**sections)


def _shown(environment: Environment, differences: bool) -> Iterator[tuple[Option, str]]:
    """Yield the options to print and their values as text, in the order of their names."""
    for name in sorted(OPTIONS):
        option = OPTIONS[name]
        value = getattr(getattr(environment, option.section), option.field)
        if differences and value == option.default:
            continue
        if option.section not in HIDDEN_SECTIONS or value != option.default:
            yield option, option.kind.write(value)


def as_ini(environment: Environment, *, differences: bool = False) -> str:
    """Render an environment as an ini file, or only what differs from the defaults."""
    lines: list[str] = []
    section = ""
    for option, value in _shown(environment, differences):
        if option.section != section:
            section = option.section
            lines += ["", f"[{PREFIX}.{section}]"]
        lines.append(f"{option.name.partition('.')[2]} = {value}")
    return "".join(f"{line}\n" for line in lines)


def as_env(environment: Environment, *, differences: bool = False) -> str:
    """Render an environment as settings of variables, or only what differs from the defaults."""
    return "".join(f"{PREFIX}.{option.name}={value}\n" for option, value in _shown(environment, differences))
