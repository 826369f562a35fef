"""The JSON API and the health endpoints."""
