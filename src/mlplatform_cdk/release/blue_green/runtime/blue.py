"""Blue, as a plan carries it. Pure."""

from typing import Any

from mlplatform_cdk.release.blue_green.runtime.sizes import COUNT
from mlplatform_cdk.release.blue_green.runtime.state import Live, Variant, label_of


def blue_of(blue: Variant | None, live: Live, *, alone: str) -> dict[str, Any]:
    """Blue as the plan carries it, with the configuration that has it alone.

    :param blue: it; None: there is none.
    :param live: the endpoint now.
    :param alone: how that configuration is called if it must be made: where blue is not alone now.
    """
    if blue is None:
        none = {"exists": False, "variant": "", "configuration": "", "weight": 0.0, "label": "", "package_arn": ""}
        return {**none, "alone": True, "instances": 0, "variants": []}
    is_alone = len(live.variants) == 1
    return {
        "exists": True,
        "variant": blue.name,
        "alone": is_alone,
        "configuration": live.configuration if is_alone else alone,
        "variants": kept_variants(blue),
        "weight": blue.weight or 1.0,
        "instances": blue.instances,
        "label": label_of(blue.package_arn),
        "package_arn": blue.package_arn,
    }


def kept_variants(blue: Variant | None) -> list[dict[str, Any]]:
    """Blue as it is, with the capacity and the weight that it has now."""
    if blue is None:
        return []
    return [{**blue.definition, COUNT: blue.instances, "InitialVariantWeight": blue.weight or 1.0}]
