"""The measured cases and their peers: `make bench`, `make bench-smoke`."""
