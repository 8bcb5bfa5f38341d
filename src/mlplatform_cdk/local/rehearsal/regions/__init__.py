"""Regions that are lost, slow and wrong while callers ask, on the embedded AWS."""
