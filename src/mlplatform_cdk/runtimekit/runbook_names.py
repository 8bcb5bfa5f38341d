"""What can be done when an alarm rings: a name for each way, which alarms, documents and people share."""

from enum import StrEnum

PAGE = "docs/runbooks.md"


class Runbook(StrEnum):
    """A way out; its value ends the name of its document, and heads its section of docs/runbooks.md."""

    DRAIN = "drain"
    SCALE_UP = "scale-up"
    ROLL_BACK = "roll-back"
    RESTORE = "restore"
    REBUILD = "rebuild"
    REPLICATE = "replicate"

    @property
    def sentence(self) -> str:
        """What it does."""
        return _SENTENCES[self]

    @property
    def section(self) -> str:
        """Where people read of it."""
        return f"{PAGE}#{self.value}"

    def document(self, prefix: str) -> str:
        """The name of its document of Systems Manager.

        :param prefix: the endpoint's name.
        """
        return f"{prefix}-{self.value}"


_SENTENCES = {
    Runbook.DRAIN: "take the region out of service",
    Runbook.SCALE_UP: "keep more instances, in the regions that serve",
    Runbook.ROLL_BACK: "bring the version before back",
    Runbook.RESTORE: "restore a table from its backup",
    Runbook.REBUILD: "release the version in production again",
    Runbook.REPLICATE: "copy the archives of a run once more",
}
