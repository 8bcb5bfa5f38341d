"""The code that takes a release-owned endpoint away."""
