"""Words of other releases of ExaBGP, and how to write the same today."""

from __future__ import annotations

from collections.abc import Mapping

_IN_CAPABILITY = "write it inside the neighbor's section: capability {{ {word}; }}"
_IN_API = "subscribe in the neighbor: api {{ processes [ NAME ]; {form} }}"
_NOT_HERE = "this is of ExaBGP 6 and not supported"

HINTS: Mapping[str, Mapping[str, str]] = {
    "root": {
        "group": (
            "groups are of ExaBGP 3: write template { neighbor NAME { … } } and 'inherit NAME;' in each neighbor"
        ),
        "route": "a route belongs in a neighbor: static { route …; }",
        "static": "routes belong in a neighbor: neighbor PEER { static { … } }",
    },
    "neighbor": {
        "ttl-security": "write 'incoming-ttl N;', and 'outgoing-ttl N;' for what is sent",
        "ttl": "write 'outgoing-ttl N;'",
        "md5": 'write md5-password "…";',
        "process": "write process NAME { … } beside the neighbor, and api { processes [ NAME ]; } in it",
        "processes": "write api { processes [ NAME ]; }",
        "route": "write static { route …; }",
        "group": "groups are of ExaBGP 3: write 'inherit NAME;' with a template",
        "peer-updates": _IN_API.format(form="receive { parsed; update; }"),
        "parse-routes": _IN_API.format(form="receive { parsed; update; }"),
        "neighbor-changes": "write api { processes [ NAME ]; neighbor-changes; }",
        "local-link-local": _NOT_HERE,
        "tcp-ao": _NOT_HERE,
        **{
            word: _IN_CAPABILITY.format(word=word)
            for word in ("asn4", "graceful-restart", "route-refresh", "multi-session", "aigp", "extended-message")
        },
        "software-version": _IN_CAPABILITY.format(word="software-version"),
    },
    "capability": {
        "link-local-prefer": _NOT_HERE,
        "add-paths": "write 'add-path send/receive;'",
        "refresh": "write 'route-refresh;'",
    },
    "api": {
        **{
            word: f"write {form}"
            for word, form in {
                "receive-routes": "receive { parsed; update; }",
                "receive-parsed": "receive { parsed; }",
                "receive-packets": "receive { packets; }",
                "receive-updates": "receive { parsed; update; }",
                "receive-opens": "receive { parsed; open; }",
                "receive-keepalives": "receive { parsed; keepalive; }",
                "receive-operational": "receive { parsed; operational; }",
                "send-packets": "send { packets; }",
                "parse-routes": "receive { parsed; update; }",
                "peer-updates": "receive { parsed; update; } and neighbor-changes;",
                "consolidate": "receive { consolidate; }",
                "process": "processes [ NAME ];",
            }.items()
        },
        "json-layout": "write it in the process: process NAME { json-layout …; }",
    },
    "process": {
        **{
            word: _IN_API.format(form=form)
            for word, form in {
                "receive-routes": "receive { parsed; update; }",
                "receive-parsed": "receive { parsed; update; }",
                "receive-packets": "receive { packets; update; }",
                "receive-updates": "receive { parsed; update; }",
                "receive-opens": "receive { parsed; open; }",
                "receive-keepalives": "receive { parsed; keepalive; }",
                "receive-operational": "receive { parsed; operational; }",
                "send-packets": "send { packets; update; }",
                "parse-routes": "receive { parsed; update; }",
                "peer-updates": "receive { parsed; update; } neighbor-changes;",
            }.items()
        },
        "consolidate": "write receive { consolidate; … }",
        "packets": "write receive { packets; … }",
        "parsed": "write receive { parsed; … }",
        "program": "write 'run PROGRAM ARGUMENT…;'",
        "encode": "write 'encoder json;'",
    },
    "messages": {
        "all": "name each message: open, update, notification, keepalive, refresh, operational",
        "routes": "write 'update;'",
        "packet": "write 'packets;'",
        "consolidated": "write 'consolidate;'",
        "neighbor-changes": "write it beside this section, not inside",
        "notifications": "write 'notification;'",
        "keepalives": "write 'keepalive;'",
        "opens": "write 'open;'",
        "route-refresh": "write 'refresh;'",
    },
}


def moved(section: str, word: str) -> str:
    """Tell how a word that is unknown in a section is written today, or nothing."""
    return HINTS.get(section, {}).get(word, "")
