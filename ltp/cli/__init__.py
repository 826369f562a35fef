"""The commands of `python -m ltp`: they parse words, call `ltp.batch` or `ltp.db`, and print the result."""
