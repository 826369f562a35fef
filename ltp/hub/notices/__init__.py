"""Notices on every open page: what an alert fired, drawn once for all browsers of the process."""
