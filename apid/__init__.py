"""What a person or program talks to: configuration, commands, events, helpers, the command line."""

__version__ = "0.1.0"
