"""Alerts in SQL: their rules, what each has seen, firings and deliveries."""
