"""The speaker against ExaBGP: the same configuration and commands to both, every octet that they send compared."""
