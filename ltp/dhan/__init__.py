"""DhanHQ's v2 wire format: packets, requests, the protocol as a state machine. Pure: no socket, no clock."""
