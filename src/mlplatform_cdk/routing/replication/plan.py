"""The names of what lies in every region, as one value: no region's stack has to ask another's."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from mlplatform_cdk.routing.names import partition_of_region

_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])+")
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")
_KEY_ARN = re.compile(r"arn:[a-z-]+:kms:(?P<region>[a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_LONGEST_BUCKET = 63
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
_LONGEST_ROLE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalData:
    """Where archives, images and state of a model lie: one home, where they come from, and copies in other regions.

    S3 wants the name of each destination, and DynamoDB the key of each replica, in the one stack that says so; that
    stack can refer to nothing in another region. So buckets, the role of the replication, tables and the aliases of
    keys have names that this value computes. None of them is replaced while its name stays: a bucket, a role, a table
    and an alias are replaced for a new name only, and other keys of a table under one name are refused.

    :param name: begins every name, such as ``churn-prod``; small letters, digits and single hyphens.
    :param home: the region where models are made, and whose stack defines the replication and the tables.
    :param account: the account of the home, 12 digits.
    :param regions: all regions, the home among them; or each with its account, where one has another account.
    :param key_arns: the key of a region by its ARN, where it is not the one behind ``key_alias``; a region in another
        account than the home's needs it here.
    :param home_bucket: the name of the home's bucket, where it has another one than this value computes.
    """

    name: str
    home: str
    account: str
    regions: Sequence[str] | Mapping[str, str]
    key_arns: Mapping[str, str] = field(default_factory=dict)
    home_bucket: str | None = None

    def __post_init__(self) -> None:
        """Refuse names that AWS would refuse."""
        given = self.regions
        if isinstance(given, str):
            raise ValueError(f"regions must be a list or a mapping, got {given!r}; try [{given!r}]")  # noqa: TRY004
        if not isinstance(given, Mapping) and (twice := sorted({one for one in given if given.count(one) > 1})):
            raise ValueError(f"regions must be named once each, got {', '.join(twice)} twice")
        accounts = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given, self.account)
        object.__setattr__(self, "regions", MappingProxyType(accounts))
        object.__setattr__(self, "key_arns", MappingProxyType(dict(self.key_arns)))
        if wrong := self._wrong_places() or self._wrong_names() or self._wrong_keys():
            raise ValueError(wrong)

    @property
    def accounts(self) -> Mapping[str, str]:
        """Each region's account."""
        return cast("Mapping[str, str]", self.regions)

    @property
    def others(self) -> tuple[str, ...]:
        """All regions but the home."""
        return tuple(region for region in self.accounts if region != self.home)

    @property
    def partition(self) -> str:
        """The partition of all regions."""
        return partition_of_region(self.home)

    @property
    def key_alias(self) -> str:
        """The alias that the key of each region has there."""
        return f"alias/{self.name}"

    @property
    def role_name(self) -> str:
        """The role by which S3 replicates; of the home's account, and of all regions."""
        return f"{self.name}-replication-{self.home}"

    @property
    def role_arn(self) -> str:
        """The ARN of that role."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.role_name}"

    def bucket_name(self, region: str) -> str:
        """The bucket of a region's archives: names of buckets are everybody's, so that it holds the account."""
        self._require(region)
        if region == self.home and self.home_bucket is not None:
            return self.home_bucket
        return f"{self.name}-{self.accounts[region]}-{region}"

    def bucket_arn(self, region: str) -> str:
        """The ARN of that bucket."""
        return f"arn:{self.partition}:s3:::{self.bucket_name(region)}"

    def key_arn(self, region: str) -> str:
        """A region's key: the given one, or that behind the alias."""
        self._require(region)
        alias = f"arn:{self.partition}:kms:{region}:{self.accounts[region]}:{self.key_alias}"
        return self.key_arns.get(region, alias)

    def rule_id(self, region: str) -> str:
        """The rule that replicates to ``region``, by which its metrics are found."""
        self._require(region)
        return f"to-{region}"

    def table_name(self, table: str) -> str:
        """The name of a table, which it has in every region."""
        return f"{self.name}-{table}"

    def is_elsewhere(self, region: str) -> bool:
        """Whether ``region`` belongs to another account than the home."""
        self._require(region)
        return self.accounts[region] != self.account

    def _require(self, region: str) -> None:
        if region not in self.accounts:
            raise ValueError(f"region must be one of the plan's ({', '.join(self.accounts)}), got {region!r}")

    def _wrong_places(self) -> str:
        for region in self.accounts:
            if not _REGION.fullmatch(region):
                return f"regions must be names such as 'eu-west-1', got {region!r}"
        if self.home not in self.accounts:
            return f"home must be one of the regions ({', '.join(self.accounts)}), got {self.home!r}"
        partitions = {partition_of_region(region) for region in self.accounts}
        if len(partitions) > 1:
            return f"regions must lie in one partition, got {', '.join(sorted(partitions))}; make a plan for each"
        for account in (self.account, *self.accounts.values()):
            if not _ACCOUNT.fullmatch(account):
                return f"an account must have 12 digits, got {account!r}"
        if self.accounts[self.home] != self.account:
            return f"account must be that of the home {self.home}, got {self.account} and {self.accounts[self.home]}"
        return ""

    def _wrong_names(self) -> str:
        if not _NAME.fullmatch(self.name):
            return f"name must be small letters, digits and single hyphens, got {self.name!r}"
        for region in self.accounts:
            if len(bucket := self.bucket_name(region)) > _LONGEST_BUCKET:
                return f"a bucket's name must have at most {_LONGEST_BUCKET} characters, got {bucket!r}; shorten name"
        if len(self.role_name) > _LONGEST_ROLE:
            return f"a role's name must have at most {_LONGEST_ROLE} characters, got {self.role_name!r}; shorten name"
        return ""

    def _wrong_keys(self) -> str:
        for region, arn in self.key_arns.items():
            match = _KEY_ARN.fullmatch(arn)
            if region not in self.accounts or match is None or match["region"] != region:
                return f"key_arns must give each of its regions the ARN of a key there, got {arn!r} for {region!r}"
        # An alias of another account is no condition that IAM could check, and S3 advises against it there:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
        for region in self.accounts:
            if self.is_elsewhere(region) and region not in self.key_arns:
                return f"key_arns must name the key of {region}, which lies in another account, got none"
        return ""
