"""The pages of watchlists, and their API."""
