"""The bridge of one helper: its process, its commands on the way to ribd, its events on the way to its stdin."""
