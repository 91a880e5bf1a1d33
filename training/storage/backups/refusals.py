"""Why there is no backup, or why it cannot be restored. Each text says what to do."""

from accounts.refusals import Refusal


class UnableToBackUp(Refusal):
    """The backup was not finished."""


class UnableToRestore(Refusal):
    """Nothing, or not everything, was restored."""
