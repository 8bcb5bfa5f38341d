"""The checkers that others wrote, each run on its own templates in its own process."""
