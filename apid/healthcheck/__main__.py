"""`python -m apid.healthcheck`: the same as `bgpbus healthcheck`."""

from apid.healthcheck.command import healthcheck

if __name__ == "__main__":
    healthcheck(prog_name="bgpbus healthcheck")
