"""Regions that fail in a simulated world, under the rule that their probes run: see docs/region-health.md.

It stands here and not in the library, since it proves the library's rule and nobody deploys it.
"""
