"""The worker process: prices from the feed into Redis, and the jobs beside them. It evaluates no screens."""
