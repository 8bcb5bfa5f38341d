"""What is used in a month, where a template cannot know: defaults that the report lists and a file can change."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.documents import load_yaml
from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

VERSION = 1
HOURS = "hours_per_month"
TRACED = "traced_share"
OUTSIDE = "outside_share"
SHARES = frozenset({TRACED, OUTSIDE})
_ZERO, _ONE = Decimal(0), Decimal(1)
_LISTED = "docs/cost.md lists what it may have"

# member of the file: what it holds
MEMBERS: dict[str, str] = {
    "version": "the version of this form",
    "month": "what a month uses of each resource; what is not here has its default",
    "resources": "the same for the resources whose construct path, or stack and logical id, fits the pattern; the last "
    "fitting pattern wins, and a state of a state machine is path:State",
    "discounts": "the shares that are taken off the list prices",
}

# name: (default, of what)
DEFAULTS: dict[str, tuple[str, str]] = {
    HOURS: ("730", "hours that what stands is charged for"),
    "executions": ("4", "executions of each state machine, such as retrainings or releases"),
    "processing_hours": ("0.25", "hours of each processing job of an execution"),
    "training_hours": ("1", "hours of each training job of an execution"),
    "transform_hours": ("1", "hours of each batch transform job of an execution"),
    "release_hours": ("0.5", "hours of a release in which blue and green stand side by side"),
    "scaled_out_hours": ("0", "instance-hours of each endpoint above its minimum"),
    "inference_gb": ("1", "GB of requests and answers of each endpoint"),
    "serverless_gb_seconds": ("0", "GB-seconds of each serverless endpoint"),
    "studio_hours": ("0", "hours that the app of each Studio space runs"),
    "function_invocations": ("1000", "invocations of each Lambda function"),
    "function_seconds": ("1", "seconds of each invocation"),
    TRACED: ("1", "share of the invocations that are traced, where tracing is on"),
    "express_seconds": ("1", "seconds of each execution of an express state machine"),
    "bucket_gb": ("10", "GB in each bucket"),
    "bucket_writes": ("10000", "writes to each bucket"),
    "bucket_reads": ("100000", "reads from each bucket"),
    "repository_gb": ("1", "GB in each ECR repository"),
    "file_system_gb": ("1", "GB in each EFS file system"),
    "table_gb": ("1", "GB in each DynamoDB table"),
    "table_reads": ("1000000", "read request units of each on-demand table"),
    "table_writes": ("1000000", "write request units of each on-demand table"),
    "table_backup_gb": ("0", "GB of tables in each vault of AWS Backup"),
    "bucket_backup_gb": ("0", "GB of buckets in each vault of AWS Backup"),
    "file_system_backup_gb": ("0", "GB of file systems in each vault of AWS Backup"),
    "log_gb": ("0.1", "GB written to each log group"),
    "log_gb_kept": ("1", "GB kept in each log group"),
    "flow_log_gb": ("1", "GB of each VPC flow log"),
    "endpoint_gb": ("1", "GB through each VPC endpoint"),
    "nat_gb": ("10", "GB through each NAT gateway"),
    "key_requests": ("100000", "requests to each KMS key"),
    "queue_requests": ("100000", "requests to each queue; Lambda's polling is about 100,000 a month"),
    "notifications": ("100", "messages published to each topic"),
    "emails": ("100", "emails of each email subscription"),
    "api_requests": ("1000000", "requests to each API of API Gateway"),
    "load_balancer_units": ("0.1", "capacity units that each load balancer uses on average"),
    "web_requests": ("1000000", "requests that each web ACL looks at"),
    "custom_events": ("10000", "custom events put on each event bus of its own"),
    "experiment_minutes": ("0", "minutes that each action of an experiment of AWS FIS runs"),
    OUTSIDE: ("0", "share of the health checks whose endpoint is not in the account, which cost more"),
}

# name: what the share is taken off from; None: nobody knows before the bill.
DISCOUNTS: dict[str, str] = {
    "managed_spot_training": "training jobs whose template switches managed spot training on; AWS says up to 0.9",
    "fargate_spot": "tasks of services whose template puts them on Fargate Spot",
    "sagemaker_savings_plan": "every instance-hour of SageMaker, for accounts with such a plan",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A month's use.

    :param amounts: changes to the defaults, for every resource.
    :param resources: changes for the resources whose construct path or ``stack/logical id`` fits the pattern.
    :param discounts: shares from 0 to below 1; a discount that is not here is not known.
    :param source: the file that says so; default: nobody, all are defaults.
    """

    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    resources: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    discounts: Mapping[str, Decimal] = field(default_factory=dict)
    source: str = ""

    @property
    def hours(self) -> Decimal:
        """Hours of a month."""
        return self.of(HOURS)

    def of(self, name: str, *places: str) -> Decimal:
        """How much of ``name``; the last pattern of the file that fits one of ``places`` decides."""
        amount = self.amounts.get(name, Decimal(DEFAULTS[name][0]))
        for pattern, amounts in self.resources.items():
            if name in amounts and any(fnmatchcase(place, pattern) for place in places):
                amount = amounts[name]
        return amount

    def discount(self, name: str) -> Decimal | None:
        """The share that ``name`` takes off, or None when nobody said."""
        return self.discounts.get(name)

    def assumptions(self) -> dict[str, tuple[Decimal, str]]:
        """Each amount in force for resources that no pattern singles out, and what it is of."""
        return {name: (self.of(name), what) for name, (_, what) in DEFAULTS.items()}


def read_usage(path: Path) -> Usage:
    """The use in the YAML file ``path``; ``docs/usage.schema.json`` describes it for editors."""
    document = load_yaml(path, "usage")
    if not isinstance(document, dict) or str(document.get("version")) != str(VERSION):
        raise AssemblyError(f"{path} must be a mapping with version: {VERSION}")
    for name in document:
        _refuse_unknown(name, MEMBERS, str(path))
    resources = _mapping(document.get("resources"), f"resources of {path}")
    return Usage(
        amounts=_amounts(document.get("month"), f"month of {path}"),
        resources={str(name): _of_resource(each, f"{name} in {path}") for name, each in resources.items()},
        discounts=_discounts(document.get("discounts"), f"discounts of {path}"),
        source=path.name,
    )


def _amounts(document: Any, where: str) -> dict[str, Decimal]:
    return {name: _amount(name, value, where) for name, value in _mapping(document, where).items()}


def _of_resource(document: Any, where: str) -> dict[str, Decimal]:
    amounts = _amounts(document, where)
    if HOURS in amounts:
        raise AssemblyError(f"{where} must not have {HOURS}: a month is as long for every resource; set it in month")
    return amounts


def _amount(name: Any, value: Any, where: str) -> Decimal:
    _refuse_unknown(name, DEFAULTS, where)
    amount = _number(value, f"{name} in {where}")
    if name in SHARES and amount > _ONE:
        raise AssemblyError(f"{name} in {where} must be a share from 0 to 1, got {value!r}")
    return amount


def _discounts(document: Any, where: str) -> dict[str, Decimal]:
    shares = {}
    for name, value in _mapping(document, where).items():
        _refuse_unknown(name, DISCOUNTS, where)
        shares[name] = _number(value, f"{name} in {where}")
        if not _ZERO <= shares[name] < _ONE:
            raise AssemblyError(f"{name} in {where} must be a share from 0 to below 1, got {value!r}")
    return shares


def _refuse_unknown(name: Any, known: Collection[str], where: str) -> None:
    """One sentence with the name that was meant, or, where none is alike and the names are few, with all of them."""
    if name in known:
        return
    alike = get_close_matches(str(name), known, n=1)
    if alike:
        raise AssemblyError(f"{where} has no {name!r}; did you mean {alike[0]}?")
    few = len(known) <= len(MEMBERS)
    raise AssemblyError(f"{where} has no {name!r}; {'it may have ' + ', '.join(known) if few else _LISTED}")


def _mapping(document: Any, where: str) -> Mapping[Any, Any]:
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise AssemblyError(f"{where} must be a mapping, got {document!r}")
    return document


def _number(value: Any, where: str) -> Decimal:
    try:
        number = Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or number < 0:
        raise AssemblyError(f"{where} must be a number that is not below zero, got {value!r}")
    return number
