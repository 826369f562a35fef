"""What worker.py runs: ingest, subscriptions, REST sweeps and the schedule."""
