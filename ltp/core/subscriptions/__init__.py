"""The instruments on the feed: why each is there and in which state, and those that are pinned to it."""
