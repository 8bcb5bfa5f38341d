"""A model that was accepted becomes a version in the registry."""
