"""The code of the page behind a signed link."""
