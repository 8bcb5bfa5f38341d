"""What could never be a test, refused while the app is being built."""

import re
from collections.abc import Sequence

from constructs import IConstruct

from mlplatform_cdk.core import ConfigurationError, is_known
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.blue_green import BlueGreenRelease
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.runtimekit.ab_test.plan import MOST_VARIANTS, PlanError, TestPlan

_MOST_ALARMS = 10
_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9]){0,39}")


def check_names(scope: IConstruct, test_name: str, *, alarms: int) -> None:
    """Refuse a name that no table and no ARN would hold, and more alarms than one call asks for.

    :raises ConfigurationError: when one of them could not be.
    """
    if is_known(test_name) and not (_NAME.fullmatch(test_name) and len(test_name) <= 40):  # noqa: PLR2004 - as it says
        raise ConfigurationError(
            scope, f"test_name must be 1 to 40 lower-case letters, digits and single inner hyphens, got {test_name!r}"
        )
    if alarms > _MOST_ALARMS:
        raise ConfigurationError(
            scope, f"alarms must be at most {_MOST_ALARMS}, got {alarms}; make a composite alarm of them"
        )


def check_released(
    scope: IConstruct,
    variants: Sequence[str],
    registry: ModelRegistry | None,
    release: BlueGreenRelease | None,
    records: ReleaseRecords,
) -> None:
    """Refuse what does not fit an endpoint that releases own.

    :raises ConfigurationError: when variants are named, or the registry or the releases are not, or when the lock of
        the test would not be that of the releases.
    """
    if variants:
        raise ConfigurationError(
            scope, f"variants of an endpoint that releases own come with a test's start, got {', '.join(variants)}"
        )
    if registry is None or release is None:
        raise ConfigurationError(
            scope,
            "registry and release must be given for an endpoint that releases own: the challengers are of the one, and "
            "the other waits for the test",
        )
    if release.records.table_arn != records.table_arn:
        raise ConfigurationError(
            scope, "records must be those of the release, where the endpoint's lock lies; try release.records"
        )


def check_templated(scope: IConstruct, plan: TestPlan, variants: Sequence[str], *, releases: bool) -> None:
    """Refuse what does not fit an endpoint that a template owns.

    :raises ConfigurationError: when the variants are none to compare, or a registry or a release is named.
    """
    if releases:
        raise ConfigurationError(
            scope, "registry and release are for an endpoint that releases own; name the endpoint's variants instead"
        )
    if len({*variants}) != len(variants):
        raise ConfigurationError(scope, f"each variant must be named once, got {', '.join(variants)}")
    try:
        plan.shares(len(variants))
    except PlanError as problem:
        raise ConfigurationError(scope, f"{problem}; name 2 to {MOST_VARIANTS} of the endpoint's in variants") from None
