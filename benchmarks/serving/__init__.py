"""How fast the serving container is, beside other servers: run ``python -m benchmarks.serving``."""
