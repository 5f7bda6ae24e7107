"""The `bgpbus` command: what people say to the daemon, and tools that need none."""
