"""`python -m ltp alerts`."""
