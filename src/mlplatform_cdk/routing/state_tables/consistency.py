"""What two regions may see of one row, and where DynamoDB offers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# The sets of regions that agree among themselves:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
_SETS = (
    frozenset({"us-east-1", "us-east-2", "us-west-2"}),
    frozenset({"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"}),
    frozenset({"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"}),
)
_PLACES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """What a write in one region means for the others; it cannot be changed once the table is there.

    :param mode: ``eventual`` or ``strong``.
    :param witness: with ``strong``, the region that agrees and holds no copy, where the table has two copies.
    """

    mode: Literal["eventual", "strong"] = "eventual"
    witness: str | None = None

    def __post_init__(self) -> None:
        """Refuse a witness of nothing."""
        if self.mode not in ("eventual", "strong"):
            raise ValueError(f"mode must be 'eventual' or 'strong', got {self.mode!r}")
        if self.mode == "eventual" and self.witness is not None:
            raise ValueError(f"a witness must be of a strongly consistent table, got {self.witness!r}")

    @classmethod
    def eventual(cls) -> "Consistency":
        """Each region writes at once, and the others follow, within a second mostly.

        Where two regions write one row within that time, the later write stays, whole, by its timestamp, and nobody is
        told. A condition on a write holds against the rows of its own region only.
        """
        return cls()

    @classmethod
    def strong(cls, *, witness: str | None = None) -> "Consistency":
        """A write waits until a second region has it; conditions and consistent reads hold everywhere.

        In three regions of one set, or two and a witness. Of two writes of one row at once, one is refused
        (``ReplicatedWriteConflictException``) and may be tried again. No time to live, no transactions; a region cannot
        be added later; and while no second region is reached, there are only eventually consistent reads.

        :param witness: the third region where the table has two; default: the table has three.
        """
        return cls(mode="strong", witness=witness)

    def wrong(self, regions: Sequence[str], *, expires: bool) -> str:
        """What keeps a table of these regions from this, or nothing."""
        if self.mode == "eventual":
            return ""
        if self.witness in regions:
            return f"a witness must be no region of the table, got {self.witness!r}"
        places = [*regions, *([self.witness] if self.witness else [])]
        if len(places) != _PLACES:
            return f"a strongly consistent table must lie in {_PLACES} regions, a witness included, got {len(places)}"
        if not any(frozenset(places) <= one for one in _SETS):
            return f"a strongly consistent table must lie in one set of regions, got {', '.join(places)}"
        if expires:
            return "a strongly consistent table must have no expiry, since DynamoDB deletes none of its rows by time"
        return ""
