"""The code of the preprocess job."""
