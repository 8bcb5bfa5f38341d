"""How large green comes, and a plan whose fleets are as large as the endpoint is by now. Pure."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.state import Live
from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification

COUNT = "InitialInstanceCount"


def size_beside(specification: EndpointSpecification, now: int) -> int:
    """How many instances green gets where so many serve now: as many, within its own bounds.

    :param specification: the bounds.
    :param now: how many serve.
    """
    return min(max(now, specification.minimum), specification.maximum)


def resized(plan: Mapping[str, Any], live: Live, specification: EndpointSpecification) -> dict[str, Any]:
    """``plan``, which brings green beside blue, with fleets of the sizes that the endpoint has now.

    :param plan: as it was made.
    :param live: the endpoint now, with its scaling held still.
    :param specification: the bounds of green's size.
    """
    blue = live.variant(plan["blue"]["variant"])
    if blue is None:
        return dict(plan)
    green = size_beside(specification, blue.instances)

    def sized(variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**one, COUNT: blue.instances if one["VariantName"] == blue.name else green} for one in variants]

    shadow = plan["shadow"]
    return {
        **plan,
        "green": {**plan["green"], "variants": sized(plan["green"]["variants"])},
        "blue": {**plan["blue"], "variants": sized(plan["blue"]["variants"]), "instances": blue.instances},
        "shared": {**plan["shared"], "variants": sized(plan["shared"]["variants"])},
        "shadow": {**shadow, "variants": sized(shadow["variants"]), "shadows": sized(shadow["shadows"])},
    }
