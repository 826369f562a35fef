"""The commands of `python -m ltp`."""
