"""`apid control RUN_DIRECTORY FILE…`, `apid helper RUN_DIRECTORY PROGRAM`, `apid run …`: what supervisord starts.

Only what is asked for is imported: helpers' bridges and control start at the same time on a small machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

USAGE = """\
usage: apid control RUN_DIRECTORY FILE...
       apid helper RUN_DIRECTORY PROGRAM
       apid run [OPTIONS] FILE...
The first two are started by supervisord; for everything else there is 'bgpbus'."""
EXIT_USAGE = 2


def main() -> None:
    """Dispatch."""
    match sys.argv[1:]:
        case ["control", run_directory, *sources] if sources:
            from apid.control.main import main as control

            control(Path(run_directory), sources)
        case ["helper", run_directory, program]:
            from apid.bridge.bridge import main as helper

            helper(Path(run_directory), program)
        case ["run", *_]:
            from apid.cli.main import main as command_line

            command_line()
        case _:
            print(USAGE, file=sys.stderr)
            raise SystemExit(EXIT_USAGE)


if __name__ == "__main__":
    main()
