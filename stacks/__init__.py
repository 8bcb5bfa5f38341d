"""What deploys together, and the environments that it deploys to."""
