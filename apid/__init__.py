"""What a person or program talks to: configuration, commands, events, helpers, the command line."""

__version__ = "0.1.0"
VERSION = f"exabgp 5.0.0 bgpbus {__version__}"  # the answer to the command `version`
