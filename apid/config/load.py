"""Load configuration files: read, compile, check, and merge what several of them say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from apid.config.draft import Draft, check_group, read_draft
from apid.config.errors import ConfigurationError, ConfigurationErrors
from apid.config.files import Files
from apid.config.model import Configuration, Neighbor, Process
from apid.config.names import identity, named
from apid.config.neighbor import compile_neighbor
from apid.config.process import process_section
from apid.config.reader import Context
from apid.config.source import Problems, Source
from apid.config.tree import Node, Section, Statement
from apid.grammar.words import Token, unknown_word

_ROOT = ("process", "neighbor", "template")


def load(paths: Iterable[str], environment: Mapping[str, str], whole: bool = False) -> Configuration:
    """Load files, `-` being standard input; raise `ConfigurationErrors` with all that is wrong.

    `environment` gives the values of `${NAME}`, and `PATH` and `EXABGP_ETC` to find programs. `whole`: a
    file with a section that is not closed is an error.
    """
    problems = Problems(whole)
    files = Files(environment, problems)
    parts: list[Configuration] = []
    for path in paths:
        opened = files.open(path)
        if opened is None:
            continue
        if not opened[1]:
            # A file that is just being written: taking it would remove every neighbor.
            problems.errors.append(ConfigurationError(opened[0].name, 0, 0, "the file holds no configuration"))
        parts.append(_compile(Context(files, problems), *opened))
    return _merged(parts, files, problems)


def load_text(
    text: str,
    environment: Mapping[str, str],
    name: str = "<text>",
    directory: str = "/",
    processes: Iterable[str] = (),
) -> Configuration:
    """Load a text as if it were a file of that name in that directory; `processes` are defined elsewhere."""
    problems = Problems()
    files = Files(environment, problems)
    part = _compile(Context(files, problems), *files.parse_text(name, text, directory), processes)
    return _merged([part], files, problems)


class _Scope:
    """What one file defines; a process that has an error is there, but None."""

    def __init__(self, processes: Iterable[str]) -> None:
        self.processes: dict[str, Process | None] = {name: Process(name, ()) for name in processes}
        self.templates: dict[str, Draft] = {}
        self.neighbors: list[Draft] = []
        self.places: dict[str, Token] = {}


def _compile(context: Context, source: Source, nodes: list[Node], processes: Iterable[str] = ()) -> Configuration:
    """Compile one file by itself."""
    scope = _Scope(processes)
    for node, tokens in context.statements(Section(source, 0, 0, 0, nodes), "root", _ROOT, ("group",)):
        keyword = tokens[0].text
        if isinstance(node, Statement):
            context.unknown(node, tokens, "root", _ROOT)
        elif keyword == "group":
            context.unknown(node, tokens, "root", _ROOT, "section")
            check_group(context, node, tokens)
        elif keyword == "process":
            _process(context, node, tokens, scope)
        elif keyword == "template":
            context.no_words(node, tokens)
            _templates(context, node, scope.templates)
        else:
            scope.neighbors.append(read_draft(context, node, tokens))
    neighbors = [_neighbor(context, draft, scope) for draft in scope.neighbors]
    return Configuration(
        tuple(neighbor for neighbor in neighbors if neighbor is not None),
        tuple(process for process in scope.processes.values() if process is not None),
    )


def _process(context: Context, section: Section, tokens: list[Token], scope: _Scope) -> None:
    """Read a process; its name must be new in the file."""
    process = process_section(context, section, tokens)
    name = tokens[1].text if len(tokens) > 1 else ""
    if name in scope.processes:
        message = f"the process '{name}' is defined twice, here and on line {scope.places[name].line}"
        context.problems.error(section.source, tokens[1], message)
    elif name:
        scope.processes[name] = process
        scope.places[name] = tokens[1]


def _templates(context: Context, section: Section, templates: dict[str, Draft]) -> None:
    """Read `template { neighbor NAME { … } }`."""
    for node, tokens in context.statements(section, "template", ("neighbor",)):
        if isinstance(node, Statement):
            context.unknown(node, tokens, "template", ("neighbor",), "section")
        elif len(tokens) != 2:
            message = "a template has one name: neighbor NAME { … }"
            context.problems.error(node.source, tokens[0], message)
        elif tokens[1].text in templates:
            line = templates[tokens[1].text].place.line
            message = f"the template '{tokens[1].text}' is defined twice, here and on line {line}"
            context.problems.error(node.source, tokens[1], message)
        else:
            templates[tokens[1].text] = read_draft(context, node, tokens)


def _neighbor(context: Context, draft: Draft, scope: _Scope) -> Neighbor | None:
    """Compile a neighbor with all that it inherits, directly or through templates of templates."""
    errors = len(context.problems.errors)
    draft.routes.order()
    # Each template once, and in its last place: there its values win over those of the templates before.
    for template, name in reversed(dict.fromkeys(reversed(_inherited(context, draft, scope.templates, ())))):
        draft.merge(template, name)
    draft.warn_of_overruled(context)
    if len(context.problems.errors) > errors:
        return None
    return compile_neighbor(context, draft, scope.processes)


def _inherited(
    context: Context, draft: Draft, templates: Mapping[str, Draft], trail: tuple[str, ...]
) -> list[tuple[Draft, str]]:
    """List the templates to merge, in order: a template's own templates come behind it."""
    found: list[tuple[Draft, str]] = []
    for token in draft.inherit:
        name = token.text
        if name in trail:
            chain = " inherits ".join((*trail[trail.index(name) :], name))
            context.problems.error(draft.source, token, f"a template inherits itself: {chain}")
        elif name not in templates:
            message = f"unknown template '{name}': the file defines none"
            if templates:
                message = unknown_word(name, templates, "template")
            context.problems.error(draft.source, token, message)
        else:
            found.append((templates[name], name))
            found += _inherited(context, templates[name], templates, (*trail, name))
    return found


def _merged(parts: list[Configuration], files: Files, problems: Problems) -> Configuration:
    """Put the files together; what two of them define differently, or twice, is an error."""
    processes: dict[str, Process] = {}
    for process in (process for part in parts for process in part.processes):
        other = processes.setdefault(process.name, process)
        if replace(other, file="", line=0, column=0) != replace(process, file="", line=0, column=0):
            message = f"the process '{process.name}' is defined otherwise in {other.file}:{other.line}"
            problems.error(files.sources[process.file], Token("", process.line, process.column), message)
    neighbors = [neighbor for part in parts for neighbor in part.neighbors]
    _check_identities(neighbors, files, problems)
    if problems.errors:
        raise ConfigurationErrors(_in_order(problems.errors, files.sources))
    warnings = _in_order(problems.warnings, files.sources)
    return Configuration(named(neighbors, {}), tuple(processes.values()), tuple(files.sources), tuple(warnings))


def _in_order(problems: list[ConfigurationError], names: Iterable[str]) -> list[ConfigurationError]:
    """Sort by file and place; what is wrong in a template comes once for all its heirs."""
    number = {name: index for index, name in enumerate(names)}
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda error: (number.get(error.file, -1), error.line, error.column))


def _check_identities(neighbors: Iterable[Neighbor], files: Files, problems: Problems) -> None:
    """Two neighbors that no session could tell apart are an error."""
    identities: dict[str, Neighbor] = {}
    for neighbor in neighbors:
        other = identities.setdefault(identity(neighbor), neighbor)
        if other is not neighbor:
            message = f"the neighbor {neighbor.name} is defined twice, here and in {other.file}:{other.line}"
            hint = "two neighbors of one address differ in local-address, router-id, an AS number or listen"
            place = Token("", neighbor.line, neighbor.column)
            problems.error(files.sources[neighbor.file], place, message, hint)
