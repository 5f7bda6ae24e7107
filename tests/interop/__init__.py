"""The speaker against other BGP implementations."""
