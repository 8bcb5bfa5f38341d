"""The embedded AWS: deploys and runs a synthesized cloud assembly on this machine, without an account or Docker."""
