"""Bars of the feed on their way out of the worker."""
