"""Alerts in the worker: their rules against every tick, firings into SQL and Redis on a thread of their own."""
