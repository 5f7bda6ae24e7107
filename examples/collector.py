#!/usr/bin/env python3
"""Append one line for each change of a route or session to a file: collector.py FILE.

Columns, separated by tabs: time, peer, what (announce, withdraw, up, down …), prefix, path identifier, next hop,
AS path. A line of `lost` says that this program was too slow for so many events.
"""

import json
import os
import sys


def as_path(attribute):
    """Return an AS path as people write it; sets are in braces."""
    words = []
    for segment in attribute.get("as-path", {}).values():
        text = " ".join(map(str, segment["value"]))
        words.append(text if segment["element"] == "as-sequence" else f"{{{text}}}")
    return " ".join(words)


def rows(event):
    """Return the rows of one event, without time and peer."""
    neighbor = event["neighbor"]
    if event["type"] == "state":
        yield neighbor["state"], "", "", "", neighbor.get("reason", "")
    if event["type"] != "update":
        return
    update = neighbor["message"].get("update", {})
    for routes in update.get("withdraw", {}).values():
        for route in routes:
            yield "withdraw", route["nlri"], route.get("path-information", ""), "", ""
    path = as_path(update.get("attribute", {}))
    for next_hops in update.get("announce", {}).values():
        for next_hop, routes in next_hops.items():
            for route in routes:
                yield "announce", route["nlri"], route.get("path-information", ""), next_hop, path


def opened(path):
    """Open the file to append to, or end and say why not: it may be that of another user."""
    try:
        return open(path, "a", buffering=1, encoding="utf-8")
    except OSError as error:
        sys.exit(f"{path} cannot be written by uid {os.getuid()}: {error.strerror}")


def main():
    """Write until the daemon ends."""
    with opened(sys.argv[1]) as file:
        for line in sys.stdin:
            event = json.loads(line)
            if "neighbor" in event:
                start = f"{event['time']:.3f}\t{event['neighbor']['address']['peer']}\t"
                file.writelines(start + "\t".join(row) + "\n" for row in rows(event))
            else:
                print(line.strip(), file=sys.stderr, flush=True)  # the daemon's own: it ends, or events were lost


if __name__ == "__main__":
    main()
