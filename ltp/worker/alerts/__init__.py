"""Alerts in the worker."""
