"""The code that writes the report of a release."""
