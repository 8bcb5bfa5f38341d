"""The code of this step."""
