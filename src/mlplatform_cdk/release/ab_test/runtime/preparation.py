"""What a test needs of its endpoint, and how the endpoint was before. Pure.

The variants of an endpoint that a template owns are the template's. To an endpoint that releases own, a test adds
variants ``t1`` to ``t9`` beside what is there, in a configuration of its own, and takes them away again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mlplatform_cdk.release.ab_test.runtime.errors import TestRefused
from mlplatform_cdk.runtimekit.ab_test.plan import TestPlan
from mlplatform_cdk.runtimekit.ab_test.state import Arm

MARK = "ab-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenger:
    """A version that a test brings up.

    :param variant: the variant's name.
    :param version: the ARN of its model package.
    :param model: the name of its model.
    :param container: of the model, as CreateModel takes it.
    :param manifest_uri: where its golden requests are.
    :param manifest_sha256: the digest of that.
    """

    variant: str
    version: str
    model: str
    container: Mapping[str, Any]
    manifest_uri: str
    manifest_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A test that can begin.

    :param run: names this run.
    :param arms: the variants with the shares that they begin with, the control first.
    :param weights: of the endpoint's variants before the test, as shares.
    :param before: the endpoint configuration before the test.
    :param configuration: the one of the test; the same where the template owns the endpoint.
    :param variants: of that configuration; empty: it is there.
    :param challengers: what is brought up.
    """

    run: str
    arms: tuple[Arm, ...]
    weights: Mapping[str, float]
    before: str
    configuration: str
    variants: tuple[Mapping[str, Any], ...] = ()
    challengers: tuple[Challenger, ...] = field(default_factory=tuple)

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "Preparation":
        """What ``to_mapping`` gave."""
        return cls(
            **{
                **value,
                "arms": tuple(Arm(**one) for one in value["arms"]),
                "variants": tuple(value["variants"]),
                "challengers": tuple(Challenger(**one) for one in value["challengers"]),
            }
        )

    @property
    def added(self) -> list[str]:
        """The variants that the test brings up."""
        return [one.variant for one in self.challengers]

    @property
    def versions(self) -> dict[str, str]:
        """Variant to version."""
        return {arm.variant: arm.version for arm in self.arms}


def run_of(name: str, execution_arn: str) -> str:
    """The name of this run: no other execution's."""
    return f"{name}-{hashlib.sha256(execution_arn.encode()).hexdigest()[:10]}"


def of_template(
    plan: TestPlan,
    run: str,
    variants: Sequence[str],
    live: Mapping[str, float],
    versions: Mapping[str, str],
    before: str,
) -> Preparation:
    """A test between variants that are there.

    :param plan: the test's.
    :param run: names this run.
    :param variants: which, the control first.
    :param live: the endpoint's variants and their weights.
    :param versions: the version of each, as far as it is known.
    :param before: the endpoint configuration.
    :raises TestRefused: when a variant is missing.
    """
    missing = [name for name in variants if name not in live]
    if missing:
        known = ", ".join(live)
        raise TestRefused(f"the endpoint must have the variants {', '.join(variants)}, got {known}")
    shares = plan.shares(len(variants))
    arms = tuple(
        Arm(variant=name, version=versions.get(name, ""), share=share)
        for name, share in zip(variants, shares, strict=True)
    )
    return Preparation(run=run, arms=arms, weights=_as_shares(live), before=before, configuration=before)


def of_releases(
    plan: TestPlan,
    run: str,
    live: Mapping[str, float],
    versions: Mapping[str, str],
    challengers: Sequence[Challenger],
    configuration: Mapping[str, Any],
    counts: Mapping[str, int],
) -> Preparation:
    """A test of challengers that are brought up beside the live variant of an endpoint that releases own.

    :param plan: the test's.
    :param run: names this run.
    :param live: the endpoint's variants and their weights; one has all the traffic.
    :param versions: the version of each, as far as it is known.
    :param challengers: what is brought up.
    :param configuration: the endpoint's, as DescribeEndpointConfig answers.
    :param counts: how many instances each live variant has; a challenger gets as many as the control.
    :raises TestRefused: when it is not clear which variant is the control.
    """
    busy = [name for name, weight in live.items() if weight > 0]
    if len(busy) != 1:
        raise TestRefused(
            f"one variant must have all the traffic when a test begins, got {', '.join(busy) or 'none'} of "
            f"{', '.join(live)}; finish the release first"
        )
    control = busy[0]
    shares = plan.shares(1 + len(challengers))
    names = [(control, versions.get(control, "")), *((one.variant, one.version) for one in challengers)]
    definitions = [dict(one) for one in configuration["ProductionVariants"]]
    model = next(one for one in definitions if one["VariantName"] == control)
    fresh = model | {"InitialVariantWeight": 0.0, "InitialInstanceCount": counts[control]}
    added = [fresh | {"VariantName": one.variant, "ModelName": one.model} for one in challengers]
    return Preparation(
        run=run,
        arms=tuple(
            Arm(variant=name, version=version, share=share)
            for (name, version), share in zip(names, shares, strict=True)
        ),
        weights=_as_shares(live),
        before=configuration["EndpointConfigName"],
        configuration=f"{configuration['EndpointConfigName'].split('--')[0]}--{MARK}{run.rsplit('-', 1)[1]}",
        variants=(*definitions, *added),
        challengers=tuple(challengers),
    )


def _as_shares(live: Mapping[str, float]) -> dict[str, float]:
    total = sum(live.values())
    return {name: weight / total if total else 0.0 for name, weight in live.items()}
