"""What history is stored, jobs that change it, and the lists that are fetched after each session."""
