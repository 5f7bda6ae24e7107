"""The RIB daemon: every route to announce, to whom, in which version; its journal; packing for each update group."""
