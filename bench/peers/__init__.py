"""The alternatives: small programs in the way each project's own documentation shows, and their
start.
"""
