"""The instruments on the feed, why each is there, and the pins: `/subscriptions` and `/api/v1/subscriptions`."""
