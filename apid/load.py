"""Read and check everything that a start or a reload needs: environment, files, helpers."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from apid import __version__
from apid.compile import Compiled, compile_configuration
from apid.config.environment import InvalidEnvironment, find_env_file, load_environment
from apid.config.errors import ConfigurationErrors
from apid.config.files import STANDARD_INPUT
from apid.config.load import load
from apid.config.model import Configuration
from apid.config.names import named
from apid.config.options import Environment
from bus.schema import SchemaError

SOFTWARE_VERSION = f"bgpbus/{__version__}"


class LoadError(Exception):
    """What is wrong, in lines for a person. What is not Unicode, as the name of a file may be, is shown by numbers."""

    def __init__(self, text: str) -> None:
        super().__init__(text.encode(errors="backslashreplace").decode())


class Former(Struct, frozen=True):
    """What neighbors have that are in force already, by name: their identities, and the programs that they are in."""

    identities: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)


NOTHING = Former()


class Loaded(Struct, frozen=True):
    """A configuration that is good."""

    configuration: Configuration
    environment: Environment
    compiled: Compiled
    warnings: list[str]


def read_env_file(variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the name of the ini file and its text, both empty where there is none; LoadError."""
    path = find_env_file(variables) or ""
    try:
        return path, Path(path).read_text() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"the environment file {path} cannot be read: {error}") from error


def read_environment(variables: Mapping[str, str]) -> tuple[Environment, list[str]]:
    """Read the environment variables and the ini file; LoadError names each bad value."""
    path, text = read_env_file(variables)
    try:
        return load_environment(variables, text, path)
    except InvalidEnvironment as error:
        raise LoadError("\n".join(error.problems)) from error


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Keep the garbage collector away: looking through what a large file makes takes as long as making it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def read_again(sources: list[str], former: Former, whole: bool = True) -> Loaded:
    """Read the files of a configuration that is in force, or of another one, for a running bgpbus; LoadError."""
    if STANDARD_INPUT in sources:
        raise LoadError("the configuration came from standard input, it cannot be read again")
    return read_configuration(sources, former=former, whole=whole)


def read_configuration(
    paths: list[str],
    variables: Mapping[str, str] | None = None,
    former: Former = NOTHING,
    whole: bool = False,
) -> Loaded:
    """Read, check and compile; LoadError says all that is wrong, and nothing was changed.

    `former`: what neighbors keep. `whole`: a file that may have been cut off is an error. A start takes one,
    as ExaBGP does; a reload of it would remove all neighbors behind the cut.
    """
    variables = os.environ if variables is None else variables
    environment, warnings = read_environment(variables)
    with _nothing_collected():
        try:
            configuration = load(paths, variables, whole)
        except ConfigurationErrors as error:
            raise LoadError(str(error)) from error
        configuration = _named(configuration, former)
        compiled = _compiled(configuration, environment, former)
    return Loaded(configuration, environment, compiled, warnings + [str(each) for each in configuration.warnings])


def under_names(loaded: Loaded, former: Former) -> Loaded:
    """Give the neighbors of a configuration that was read the names that they have in force."""
    configuration = _named(loaded.configuration, former)
    if configuration == loaded.configuration:
        return loaded
    with _nothing_collected():
        compiled = _compiled(configuration, loaded.environment, former)
    return replace(loaded, configuration=configuration, compiled=compiled)


def _named(configuration: Configuration, former: Former) -> Configuration:
    return replace(configuration, neighbors=named(configuration.neighbors, former.identities))


def _compiled(configuration: Configuration, environment: Environment, former: Former) -> Compiled:
    try:
        return compile_configuration(configuration, environment, SOFTWARE_VERSION, former.programs)
    except SchemaError as error:
        raise LoadError(f"the name of a file or folder cannot be told to others: {error}") from error
