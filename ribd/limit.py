"""How many FlowSpec rules a neighbor may have, whoever announces them."""

from __future__ import annotations

from bgp.family import FLOW_SAFIS, Family
from bgp.nlri import route_key
from bus.names import neighbor_of
from bus.schema import ANNOUNCE, REPLACE, REPLACE_FORM, Apply, Message
from ribd.rib import Rib
from ribd.table import Withdrawn

CONFIGURATION = "control"  # the client whose routes come from the configuration: they count, and are not refused


def depends(rib: Rib, request: Message) -> bool:
    """Whether a request may be refused for what the tables hold already."""
    return (
        bool(rib.flow_limits)
        and isinstance(request, Apply)
        and request.client != CONFIGURATION
        and any(change[1] == 1 and change[3] in FLOW_SAFIS for change in request.changes if len(change) > 3)
    )


def refusal(rib: Rib, request: Apply) -> str:
    """Return why a request would give a neighbor too many rules, or nothing.

    What counts is the number in the end. If there are too many already, because of the configuration or of a new limit,
    rules may still be changed and withdrawn.
    """
    for name in rib.reached(name for names in request.targets for name in names):
        limit = rib.flow_limits.get(neighbor_of(name))
        if limit is None:
            continue
        before, more = _rules(rib, name), _growth(rib, name, request)
        if more > 0 and before + more > limit:
            return f"neighbor {name} has {before} FlowSpec rules and its flow-limit is {limit}: no room for {more} more"
    return ""


def _rules(rib: Rib, name: str) -> int:
    table = rib.table(name)
    families = {} if table is None else table.families
    return sum(len(routes) for family, routes in families.items() if family.safi in FLOW_SAFIS)


def _growth(rib: Rib, name: str, request: Apply) -> int:
    """Return how many more rules a neighbor would have after a request."""
    table, called = rib.table(name), {name, neighbor_of(name)}
    families = {} if table is None else table.families
    before: dict[tuple[Family, bytes], bool] = {}
    after: dict[tuple[Family, bytes], bool] = {}
    for target, announce, afi, safi, _, items, *_more in request.changes:
        if announce in (REPLACE, REPLACE_FORM) or safi not in FLOW_SAFIS or called.isdisjoint(request.targets[target]):
            continue
        family = Family(afi, safi)
        routes = families.get(family)
        for item in items:
            rule = family, route_key(family, item)
            if rule not in before:
                entry = None if routes is None else routes.entries.get(rule[1])
                before[rule] = entry is not None and type(entry[1]) is not Withdrawn
            after[rule] = announce == ANNOUNCE
    return sum(after.values()) - sum(before.values())
