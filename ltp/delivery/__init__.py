"""Alerts outside of the pages: messages to web addresses, by mail and to chat services, in a process of their own.

outbox     claims messages from SQL and stores how each ended     one thread
sender     one message, by the kind of its channel                one thread each
webhook, mail, services
connect    the only way out: checks the peer, and ends after a bounded time
"""
