"""Sockets to the broker: the feed client, its supervisor, REST, credentials, and the simulated exchange."""
