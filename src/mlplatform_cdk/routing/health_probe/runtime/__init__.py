"""A region's own probe: it asks what callers ask, as they ask it, and leaves its verdict for Route 53."""
