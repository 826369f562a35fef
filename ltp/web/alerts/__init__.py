"""Pages of alerts: the list with its history, the form, why one fired or did not, and the notices of every page."""
