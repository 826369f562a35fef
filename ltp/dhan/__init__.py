"""DhanHQ's v2 wire format: bytes to packets and back, and the protocol as a state machine. Pure: no socket,
no clock.
"""
