"""The code of the evaluation job."""
