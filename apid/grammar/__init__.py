"""The language of routes and commands, shared by configuration files, helpers and the command line. Pure."""
