"""Runs in Lambda: looks at an A/B test, decides what becomes of it, and moves its traffic."""
