"""Clients of the web server: their addresses, the host names they may use, and their quotas."""
