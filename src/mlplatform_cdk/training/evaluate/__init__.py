"""A new model is measured on the holdout and compared with the one in production."""
