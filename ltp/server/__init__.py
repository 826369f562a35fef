"""The web server's side of a request: gunicorn's worker, its listeners, the deadlines of a connection."""
