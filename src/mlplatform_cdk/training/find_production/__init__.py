"""Which model serves now, for evaluation to compare with."""
