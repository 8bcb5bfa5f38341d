"""A database of features as a value: from it every region's stack knows the names of the others' parts."""

import re
from dataclasses import dataclass
from typing import Literal

from mlplatform_cdk.routing.replication import RegionalData

_NAME = re.compile(r"[a-z](-?[a-z0-9])*")
_SQL_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
_LONGEST = 63
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database.configuration.requirements.html
# and five replicas in other regions, beyond which AWS promises none:
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.Cnsdr.html
_MOST_OTHERS = {"global": 10, "replicas": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Serverless:
    """Capacity of an Aurora instance, in units of about 2 GiB of memory each.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html

    :param minimum: at rest, 0.5 to 256 in steps of a half; 0 would pause, which a reader of requests must not.
    :param maximum: at most, 1 to 256.
    """

    minimum: float = 0.5
    maximum: float = 4

    def __post_init__(self) -> None:
        """Refuse what Aurora refuses."""
        least, most = 0.5, 256
        if not least <= self.minimum <= self.maximum <= most or self.maximum < 1:
            raise ValueError(
                f"capacity must lie in {least} to {most} units, a maximum of 1 at least, "
                f"got {self.minimum} to {self.maximum}"
            )
        if self.minimum * 2 % 1 or self.maximum * 2 % 1:
            raise ValueError(f"capacity must be in steps of a half, got {self.minimum} and {self.maximum}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFeatures:
    """Which database, of which regions, and how its copies come about.

    ``global`` is an Aurora global database: storage replicates, mostly within a second, and another region can become
    the writer by one call. ``replicas`` is RDS for PostgreSQL with a read replica in each other region: PostgreSQL's
    own replication, for smaller data and less money; a replica that is promoted leaves for good.

    :param plan: the regions; the home holds the writer at first.
    :param name: the database's, such as ``features``; the plan's name goes before it.
    :param kind: ``global`` or ``replicas``; it cannot be changed later.
    :param engine_version: PostgreSQL's, as the kind has it, such as ``17.9``.
    :param database: the name inside of PostgreSQL.
    :param reader: the user who reads, by tokens of IAM's.
    """

    plan: RegionalData
    name: str
    engine_version: str
    kind: Literal["global", "replicas"] = "global"
    database: str = "features"
    reader: str = "features_reader"

    def __post_init__(self) -> None:
        """Refuse what could never deploy."""
        if wrong := self._wrong_names() or self._wrong_regions():
            raise ValueError(wrong)

    @property
    def global_name(self) -> str:
        """The global database."""
        return f"{self.plan.name}-{self.name}"

    def cluster_name(self, region: str) -> str:
        """The cluster, or the instance, of one region."""
        return f"{self.global_name}-{region}"

    @property
    def home_arn(self) -> str:
        """The home's instance, as a replica of another region names it."""
        home = self.plan.home
        return f"arn:{self.plan.partition}:rds:{home}:{self.plan.account}:db:{self.cluster_name(home)}"

    def _wrong_names(self) -> str:
        if self.kind not in _MOST_OTHERS:
            return f"kind must be 'global' or 'replicas', got {self.kind!r}"
        if not _NAME.fullmatch(self.name):
            return f"name must be small letters, digits and single hyphens, got {self.name!r}"
        for region in self.plan.accounts:
            if len(named := self.cluster_name(region)) > _LONGEST:
                return f"a database's name must have at most {_LONGEST} characters, got {named!r}; shorten name"
        for what, given in (("database", self.database), ("reader", self.reader)):
            if not _SQL_NAME.fullmatch(given):
                return f"{what} must be small letters, digits and underscores, got {given!r}"
        return ""

    def _wrong_regions(self) -> str:
        if elsewhere := [region for region in self.plan.accounts if self.plan.is_elsewhere(region)]:
            return f"a database's regions must lie in the home's account, got {', '.join(elsewhere)} of another"
        most = _MOST_OTHERS[self.kind]
        if len(self.plan.others) > most:
            return f"a database may have {most} regions beside its home, got {len(self.plan.others)}"
        return ""
