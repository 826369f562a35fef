"""The pages of screeners: built in, saved and custom."""
