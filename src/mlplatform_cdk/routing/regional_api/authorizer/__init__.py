"""Decides on callers by their tokens."""
