"""Turn a configuration file and shortened option names into plain command-line arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from apid.healthcheck.options import OptionError

CONFIG_NAMES = ("--config", "-F")
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Arity(Enum):
    """Whether an option takes a value."""

    FLAG = 0
    VALUE = 1
    OPTIONAL = 2


Arities = Mapping[str, Arity]  # by every spelling of every option, dashes included


def expand(arguments: list[str], arities: Arities) -> tuple[list[str], list[str]]:
    """Return (arguments with full names, paths of configuration files, which are taken out).

    A long option may be shortened as long as it stays the only one that begins so. What is not an option of ours is
    left as it is, for the parser to complain about.
    """
    plain: list[str] = []
    paths: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return [*plain, argument, *rest], paths
        for name, attached in _options(argument, arities):
            value = next(rest, None) if attached is None and arities.get(name) is Arity.VALUE else attached
            if value is None:
                plain.append(name)
            elif name in CONFIG_NAMES:
                paths.append(value)
            else:
                plain += [f"{name}={value}"] if name.startswith("--") else [name, value]
    return plain, paths


def _options(argument: str, arities: Arities) -> list[tuple[str, str | None]]:
    """Return the options in one word, each with the value that stands in the same word: `--a=1`, `-i5`, `-daF`."""
    if argument.startswith("--"):
        name, separator, value = argument.partition("=")
        return [(_complete(name, arities), value if separator else None)]
    if argument in arities or not argument.startswith("-"):
        return [(argument, None)]
    found: list[tuple[str, str | None]] = []
    for position, letter in enumerate(argument[1:], start=2):
        arity = arities.get(name := f"-{letter}")
        if arity is Arity.VALUE:
            return [*found, (name, argument[position:] or None)]
        if arity is None:
            return [(argument, None)]
        found.append((name, None))
    return found


def _complete(name: str, arities: Arities) -> str:
    if name in arities:
        return name
    matches = {known for known in arities if known.startswith(name)}
    return matches.pop() if len(matches) == 1 else name


def read_file(path: str, text: str, arities: Arities) -> list[str]:
    """Return the arguments that a configuration file stands for.

    A line is `long-option = value`, or a flag alone (or with true or false). `#` begins a comment line. Raises
    OptionError with file and line.
    """
    lines = enumerate(text.splitlines(), start=1)
    return [word for number, line in lines for word in _line(path, number, line, arities)]


def _line(path: str, number: int, line: str, arities: Arities) -> Iterator[str]:
    key, separator, value = (part.strip() for part in line.partition("="))
    if not key or key.startswith("#"):
        if value and not key:
            raise OptionError(f"{path}:{number}: a value without an option: expected 'long-option = value'")
        return
    option = _complete(f"--{key}", arities)
    arity = arities.get(option)
    if arity is None or option in CONFIG_NAMES:
        raise OptionError(f"{path}:{number}: there is no option '{key}'")
    if arity is Arity.VALUE and not separator:
        raise OptionError(f"{path}:{number}: '{key}' needs a value: expected '{key} = value'")
    if arity is not Arity.FLAG:
        yield f"{option}={value}" if value or arity is Arity.VALUE else option
    elif not separator or value.lower() in TRUE:
        yield option
    elif value.lower() not in FALSE:
        raise OptionError(f"{path}:{number}: '{key}' is switched on by 'true', off by 'false', not by '{value}'")
