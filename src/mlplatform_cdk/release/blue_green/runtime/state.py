"""What is known of a version and of an endpoint, as values that decisions can be made on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# The marks that evaluation looks for, in the words of SageMaker's model life cycle.
STAGE, IN_SERVICE, RETIRED = "Production", "InService", "Retired"
APPROVED, REJECTED = "Approved", "Rejected"
CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A model package, as a release sees it.

    :param arn: of the package.
    :param approval: its approval status.
    :param stage_status: its status in the stage Production; empty: it was never there.
    :param image: what serves it.
    :param model_data_url: its archive.
    :param environment: its container's variables.
    :param manifest_uri: its manifest.
    :param manifest_sha256: the digest of that.
    :param model_data_sha256: the digest of its archive, as it was registered.
    :param image_digest: the digest of its image, where the registry knows it.
    """

    arn: str
    approval: str
    stage_status: str
    image: str
    model_data_url: str
    environment: Mapping[str, str]
    manifest_uri: str
    manifest_sha256: str
    model_data_sha256: str = ""
    image_digest: str = ""

    @property
    def number(self) -> str:
        """``3`` of ``…:model-package/churn/3``."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def label(self) -> str:
        """How people call it."""
        return label_of(self.arn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What the registry says of a version.

    :param status: its approval status.
    :param reason: what was said with it.
    """

    status: str
    reason: str = ""

    def lost(self, package_arn: str) -> str:
        """Why the version may not be released any more; empty: it may.

        :param package_arn: the version.
        """
        if self.status == APPROVED:
            return ""
        said = f" ({self.reason})" if self.reason else ""
        return f"{label_of(package_arn)} must be {APPROVED} all through its release, got {self.status}{said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One variant of a live endpoint.

    :param name: its place.
    :param model: the model that it runs.
    :param package_arn: the version behind that; empty: the model was made by something else.
    :param weight: its share of the traffic.
    :param instances: how many it has.
    :param definition: it, as an endpoint configuration holds it.
    """

    name: str
    model: str
    package_arn: str
    weight: float
    instances: int
    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A variant that application auto scaling knows, with what it takes to restore that.

    :param variant: its name.
    :param minimum: instances at least.
    :param maximum: instances at most.
    :param suspended: is it held still.
    :param policies: its target-tracking policies, as they are put.
    """

    variant: str
    minimum: int
    maximum: int
    suspended: bool
    policies: Sequence[Mapping[str, Any]] = ()

    def to_mapping(self) -> dict[str, Any]:
        """As a plan carries it."""
        return {
            "variant": self.variant,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "policies": [dict(policy) for policy in self.policies],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """An endpoint as it is now.

    :param status: SageMaker's; empty: there is no endpoint.
    :param configuration: the name of the configuration that it runs.
    :param reason: why it failed, if SageMaker says so.
    :param keyed: does a key of ours encrypt the volumes.
    :param variants: what takes the requests.
    :param targets: what scales.
    """

    status: str
    configuration: str = ""
    reason: str = ""
    keyed: bool = False
    variants: tuple[Variant, ...] = ()
    targets: tuple[Target, ...] = field(default_factory=tuple)

    def variant(self, name: str) -> Variant | None:
        """The variant ``name``, if it is there."""
        return next((one for one in self.variants if one.name == name), None)


def label_of(package_arn: str) -> str:
    """``churn version 3`` of ``…:model-package/churn/3``."""
    parts = package_arn.rsplit("/", 2)
    return f"{parts[-2]} version {parts[-1]}" if len(parts) == 3 else package_arn or "a model of unknown origin"  # noqa: PLR2004
