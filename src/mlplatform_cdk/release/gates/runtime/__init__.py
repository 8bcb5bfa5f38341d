"""The code that opens a gate and tells people."""
