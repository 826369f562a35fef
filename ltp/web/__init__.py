"""Flask: pages, streams, polling, the JSON API and health."""
