"""Trading hours: sessions, holidays, and the dates on which the calendar may be wrong."""
