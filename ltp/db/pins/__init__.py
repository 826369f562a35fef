"""The instruments that users keep on the feed."""
