"""The pages of alerts and of their channels."""
