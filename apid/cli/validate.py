"""`bgpbus validate`."""

from __future__ import annotations

import gc
import json
from typing import Any

import click

from apid.cli.errors import Failed, Misconfigured
from apid.cli.packing import agreed, pack_entry, problems
from apid.config.errors import ConfigurationErrors
from apid.config.model import Neighbor
from apid.config.source import Source
from apid.control.neighbor_text import neighbor_lines
from apid.control.neighbors import Known, known_of
from apid.grammar.route import RouteEntry
from apid.load import Loaded, LoadError, read_configuration
from apid.render.decode import decode_event
from apid.render.nlri import nlri_text
from apid.render.renderer import seen_by_peer
from apid.render.routes import read_route, read_set
from apid.render.text_attributes import attributes_text
from bgp.pack import Packer
from bgp.shape import Shape
from bus.settings import ApiBinding, SessionConfiguration


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("-n", "--neighbor", "neighbors", is_flag=True, help="Print each neighbor as it was understood.")
@click.option("-r", "--route", "routes", is_flag=True, help="Encode every route, decode it and compare.")
@click.option("-v", "--verbose", is_flag=True, help="With -r, print each route, its UPDATE and its JSON.")
@click.option("-p", "--pdb", is_flag=True, hidden=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(files: tuple[str, ...], neighbors: bool, routes: bool, verbose: bool, pdb: bool, as_json: bool) -> None:
    """Check configurations without running them; '-' reads one from standard input.

    \b
    bgpbus validate bgpbus.conf
    bgpbus validate -n -r -v bgpbus.conf
    """
    try:
        loaded = read_configuration(list(files))
    except LoadError as error:
        if as_json:
            click.echo(json.dumps({"valid": False, "errors": _errors(error)}))
        raise Misconfigured(str(error)) from error
    gc.freeze()  # else the collector looks through 100,000 routes several times
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    known = known_neighbors(loaded)
    if neighbors and not as_json:
        _print_neighbors(loaded, known)
    errors = _check_routes(loaded, known, verbose and not as_json) if routes else []
    _print_verdict(loaded, errors, as_json)
    if errors:
        raise Failed("\n".join(errors))


def _errors(error: LoadError) -> list[dict[str, Any]]:
    """Return each error with its place; what is wrong in the environment has none."""
    if isinstance(error.__cause__, ConfigurationErrors):
        return [
            {"file": each.file, "line": each.line, "column": each.column, "message": each.message, "hint": each.hint}
            for each in error.__cause__.errors
        ]
    return [{"message": line} for line in str(error).splitlines()]


def known_neighbors(loaded: Loaded) -> dict[str, Known]:
    """Return the neighbors of a configuration as control would know them."""
    return {
        session["name"]: known_of(SessionConfiguration.from_wire(session), program)
        for program, settings in loaded.compiled.peerds.items()
        for session in settings.sessions
    }


def _print_neighbors(loaded: Loaded, known: dict[str, Known]) -> None:
    bindings: dict[str, list[tuple[str, ApiBinding]]] = {}
    for helper, settings in loaded.compiled.helpers.items():
        for binding in settings.helper["bindings"]:
            bindings.setdefault(binding["neighbor"], []).append((helper, ApiBinding.from_wire(binding)))
    for name, each in known.items():
        limit = loaded.compiled.applied.flow_limits.get(name)
        click.echo("\n".join(neighbor_lines(each, bindings.get(name, []), limit)))
        click.echo(f"{click.style('✓', fg='green')} neighbor {name}")


def _check_routes(loaded: Loaded, known: dict[str, Known], verbose: bool) -> list[str]:
    """Check the routes of every neighbor; return what is wrong."""
    errors = []
    for neighbor in loaded.configuration.neighbors:
        each = known[neighbor.name]
        session = agreed(each.settings, each.local_address)
        packer, negotiated = Packer(Shape.of(session, neighbor.group_updates)), seen_by_peer(session)
        for entry, place in zip(neighbor.routes, neighbor.places, strict=True):
            try:
                messages = pack_entry(packer, entry)
            except ValueError as error:
                errors.append(_difference(neighbor, entry, place, str(error)))
                continue
            errors += [_difference(neighbor, entry, place, each) for each in problems(entry, messages, negotiated)]
            if verbose:
                _print_route(neighbor, entry, messages, entry.family in session.add_path_send)
    return errors


def _difference(neighbor: Neighbor, entry: RouteEntry, place: tuple[Source, int], problem: str) -> str:
    source, offset = place
    return f"{source.name}:{source.place(offset)[0]}: {neighbor.name}: {_text(entry)}: {problem}"


def _print_route(neighbor: Neighbor, entry: RouteEntry, messages: list[bytes], add_path: bool) -> None:
    click.echo(f"{neighbor.name} {_text(entry)}")
    for message in messages:
        click.echo(f"  {message.hex().upper()}")
        click.echo(f"  {decode_event(message, neighbor.families, add_path)}")


def _text(entry: RouteEntry) -> str:
    """Render the first route of an entry, and how many follow."""
    attributes, next_hop = read_set(entry.attributes)
    route = read_route(entry.family, entry.items[0])
    more = f" and {len(entry.items) - 1} more" if len(entry.items) > 1 else ""
    text = nlri_text(route, next_hop, bool(route.path_id))
    return f"{entry.family} {text}{more}{attributes_text(attributes, ours=True)}"


def _print_verdict(loaded: Loaded, errors: list[str], as_json: bool) -> None:
    configuration = loaded.configuration
    counts: dict[str, Any] = {
        "neighbors": len(configuration.neighbors),
        "processes": len(configuration.processes),
        "routes": sum(len(entry.items) for neighbor in configuration.neighbors for entry in neighbor.routes),
    }
    if as_json:
        warnings = list(loaded.warnings)
        click.echo(json.dumps({"valid": not errors, **counts, "warnings": warnings, "errors": errors}))
    elif not errors:
        said = ", ".join(f"{count} {name if count != 1 else SINGULAR[name]}" for name, count in counts.items())
        click.echo(f"{' '.join(configuration.sources)}: valid, {said}")


SINGULAR = {"neighbors": "neighbor", "processes": "process", "routes": "route"}
