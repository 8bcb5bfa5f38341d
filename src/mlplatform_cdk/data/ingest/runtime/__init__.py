"""The code that turns arrivals in the lake into runs."""
