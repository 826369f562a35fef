"""Alerts: rules on live prices, and when one of them fires. Pure."""
