"""The web server's side of a request: gunicorn's worker, its listeners, and the deadlines of each connection."""
