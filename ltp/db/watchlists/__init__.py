"""Watchlists in SQL: their lines, versions and latest changes."""
