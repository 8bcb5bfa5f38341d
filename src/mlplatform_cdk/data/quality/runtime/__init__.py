"""The code of the quality gate."""
