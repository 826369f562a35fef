"""The parts of an instrument's quote page beside its price and its chart.

`range_cells` and `amounts` draw its live columns, `past` has the figures of earlier sessions, `hours` the
sessions of the day, `parts` joins all for `ltp.web.instruments`.
"""
