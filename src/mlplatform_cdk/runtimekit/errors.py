"""The errors that a user can act upon, told apart from the ones that are our bugs."""


class KnownError(Exception):
    """Something that the user can put right; its text is one sentence and needs no traceback."""
