"""Commands that create, delete, shut and open neighbors; no other session notices."""

from __future__ import annotations

from collections.abc import Callable

from apid import amend
from apid.control.context import Context
from apid.control.jobs import Job, Step
from apid.control.neighbors import Known, none_matches, select_configured
from apid.control.section import section
from apid.grammar.command import PeerCreate, PeerDelete, PeerEnable, PeerShutdown
from apid.grammar.words import GrammarError
from apid.live import Shut, Wanted


def create(context: Context, command: PeerCreate, client: str) -> Job:
    """Add a neighbor."""
    try:
        text = section(command.peer, command.words, client)
    except GrammarError as error:
        return str(error)
    return str((yield _put(context, lambda wanted: amend.create(wanted, text, command.keep))))


def delete(context: Context, neighbors: list[Known], command: PeerDelete) -> Job:
    """Remove neighbors; one that was kept but could not be restored is known by its name only."""
    selected = [known.name for known in select_configured(neighbors, command.selector)]
    named = {terms.peer for terms in command.selector.alternatives}
    error = str((yield _put(context, lambda wanted: amend.delete(wanted, selected, named))))
    return none_matches(neighbors) if error and not selected else error


def shut(context: Context, neighbors: list[Known], command: PeerShutdown) -> Job:
    """End sessions and keep them closed."""
    names = [known.name for known in select_configured(neighbors, command.selector)]
    if not names:
        return none_matches(neighbors)
    why = Shut(command.communication, command.keep)
    return str((yield _put(context, lambda wanted: amend.shut(wanted, names, why))))


def enable(context: Context, neighbors: list[Known], command: PeerEnable) -> Job:
    """Open neighbors that were shut."""
    names = [known.name for known in select_configured(neighbors, command.selector)]
    if not names:
        return none_matches(neighbors)
    return str((yield _put(context, lambda wanted: amend.enable(wanted, names))))


def _put(context: Context, change: Callable[[Wanted], Wanted]) -> Step:
    """Make the step that has a change put in force; its result is an error, or nothing."""
    return lambda resume: context.in_force.amend(change, resume, context.origin)
