"""Everything that worker.py runs beside prices. Evaluates no screens: those are commands of `ltp.batch`."""
