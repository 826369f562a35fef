"""What a table shows, chosen at once: its columns and order in one form, and named views."""
