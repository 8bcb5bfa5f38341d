"""What a release-owned endpoint must look like: the template writes it, the release reads it.

The template holds this value and never a model; each release brings the endpoint to it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from mlplatform_cdk.runtimekit.errors import KnownError

# The two places of an endpoint. The next version takes the one that the live version does not have, so that metrics,
# alarms and permissions of the template name variants that will exist.
VARIANTS = ("a", "b")
# And a number from 1 to 9: the variants that an A/B test adds for a while.
CHALLENGER = "t"
CHALLENGERS = tuple(f"{CHALLENGER}{number}" for number in range(1, 10))
# The names of its models and configurations begin with the endpoint's name and this, which no endpoint's name holds:
# a policy or a removal by prefix never reaches another endpoint's.
SEPARATOR = "--"
METRICS_EVERY_S = 60  # SageMaker's own frequency
# Which version a model is made of, in its container's environment: for the container's logs, and for the next release.
PACKAGE_VARIABLE = "MODEL_PACKAGE_ARN"
# What came after the first specifications: left out where it is not asked for, so that an endpoint without stays the
# fleet that it was before there was a choice.
_CHOICES = ("inference_ami_version", "environment", "startup_timeout_s", "download_timeout_s", "detailed_observability")


class SpecificationError(KnownError):
    """A specification that is not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSpecification:
    """Everything about an endpoint but its model. A text may be a token while the template is built.

    :param endpoint_name: its name, which also begins the names of its models and configurations.
    :param instance_type: what each variant runs on.
    :param minimum: instances at rest.
    :param maximum: instances at most; the same as the minimum where nothing scales.
    :param invocations_per_minute: the load of one instance that scaling keeps.
    :param model_role_arn: who the models run as.
    :param network_isolation: whether the containers reach no network at all.
    :param subnet_ids: where the models' network interfaces are; none: in no VPC of the account.
    :param security_group_ids: what those interfaces may reach.
    :param volume_key_arn: encrypts the volumes; None where the disks encrypt themselves.
    :param capture_uri: where requests and answers are kept; None: nowhere.
    :param capture_percentage: how many of them.
    :param capture_key_arn: encrypts what is kept.
    :param metrics_every_s: how often SageMaker publishes the variants' metrics, in seconds.
    :param inference_ami_version: the machine image under its instances, which has the GPUs' driver; None: SageMaker
        chooses.
    :param environment: variables of the models' containers, over those that a version itself brings.
    :param startup_timeout_s: how long a container may take until it answers ``/ping``; None: SageMaker's own limit.
    :param download_timeout_s: how long an archive may take to come and be unpacked; None: SageMaker's own limit.
    :param detailed_observability: whether SageMaker's collector publishes metrics of the instances and the container.
    """

    endpoint_name: str
    instance_type: str
    minimum: int
    maximum: int
    invocations_per_minute: int
    model_role_arn: str
    network_isolation: bool
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    volume_key_arn: str | None = None
    capture_uri: str | None = None
    capture_percentage: int = 0
    capture_key_arn: str | None = None
    metrics_every_s: int = METRICS_EVERY_S
    inference_ami_version: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    startup_timeout_s: int | None = None
    download_timeout_s: int | None = None
    detailed_observability: bool = False

    @property
    def name_prefix(self) -> str:
        """How the names of its models and configurations begin."""
        return f"{self.endpoint_name}{SEPARATOR}"

    @property
    def scales(self) -> bool:
        """True when the number of instances follows the load."""
        return self.minimum < self.maximum

    @property
    def slow_start_s(self) -> int:
        """How much longer than others a fleet may take to come up, in seconds."""
        return (self.startup_timeout_s or 0) + (self.download_timeout_s or 0)

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        value = asdict(self) | {"subnet_ids": [*self.subnet_ids], "security_group_ids": [*self.security_group_ids]}
        return {name: one for name, one in value.items() if one or name not in _CHOICES}

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "EndpointSpecification":
        """What ``to_mapping`` gave."""
        names = {one.name for one in fields(cls)}
        if {*value, *_CHOICES} != names:
            message = (
                f"an endpoint's specification must have {', '.join(sorted(names))}, got {', '.join(sorted(value))}"
            )
            raise SpecificationError(message)
        lists = {name: tuple(value[name]) for name in ("subnet_ids", "security_group_ids")}
        return cls(**{**value, **lists})

    def digest(self) -> str:
        """Tells one shape of a fleet from another; the bounds of scaling change in place and are no part of it."""
        shape = self.to_mapping()
        if self.metrics_every_s == METRICS_EVERY_S:
            del shape["metrics_every_s"]  # as it was before there was a choice
        if self.scales:
            for name in ("minimum", "maximum", "invocations_per_minute"):
                del shape[name]
        return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()


def log_group_name(endpoint_name: str) -> str:
    """The log group that SageMaker makes for an endpoint.

    :param endpoint_name: its name.
    """
    return f"/aws/sagemaker/Endpoints/{endpoint_name}"
