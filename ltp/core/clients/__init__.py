"""Clients of the web server: their addresses and quotas, and the host names of their requests."""
