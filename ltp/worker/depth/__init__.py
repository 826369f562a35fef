"""Depth and details of instruments on open quote pages: from demand to the feed and to REST, and into Redis."""
