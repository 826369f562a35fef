"""Alerts outside of the pages, sent by a process of its own: its loop is `outbox`, one message is sent by `sender`,
and `connect` is the only way out, which checks the peer and ends after a bounded time.
"""
