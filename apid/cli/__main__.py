"""`python -m apid.cli`, for where the command `bgpbus` is not installed."""

from __future__ import annotations

from apid.cli.main import main

if __name__ == "__main__":
    main()
