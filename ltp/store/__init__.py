"""Redis: every key and channel, reads, writes, publish and listen."""
