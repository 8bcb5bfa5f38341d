"""The code of the training job."""
