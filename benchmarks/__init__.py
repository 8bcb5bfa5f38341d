"""Ratios that are measured, never asserted; see docs/benchmarks.md."""
