"""Runs in Lambda: decides whether a registered model may serve without a person's look."""
