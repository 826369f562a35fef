"""One-minute bars in the worker: from the feed into SQL, with the coverage of the feed; their daily and mid-session work."""
