"""The code that keeps an endpoint's scaling over its updates."""
