"""How an open page stays current: streams, polls and the status line."""
