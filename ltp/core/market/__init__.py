"""Trading hours: sessions, holidays, and notices of provisional hours."""
