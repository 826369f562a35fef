"""The price of one instrument from packets: merged, ordered, conflated, and the state it is shown in."""
