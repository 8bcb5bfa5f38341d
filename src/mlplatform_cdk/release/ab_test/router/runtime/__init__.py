"""Runs in Lambda: gives each request its variant, and takes the outcomes."""
