"""The session daemon: one BGP session (or a shard of them), its TCP socket, its Adj-RIB-In; and the listener."""
