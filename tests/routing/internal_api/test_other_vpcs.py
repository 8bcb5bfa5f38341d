"""Which VPCs of other regions can nobody mean?"""

import re

import pytest

from mlplatform_cdk.routing.internal_api.other_vpcs import wrong_vpcs


@pytest.mark.parametrize(
    ("vpcs", "problem"),
    [
        ({}, ""),
        ({"b": "10.1.0.0/16", "c": "10.2.0.0/16"}, ""),
        ({"b": "10.1.0.0/16"}, r"other_vpcs must name each other region of the plan \(b, c\), got b"),
        ({"a": "10.0.0.0/16", "b": "10.1.0.0/16", "c": "10.2.0.0/16"}, "got a, b, c"),
        ({"b": "10.1.0.0/16", "c": "everywhere"}, "must be addresses such as '10.1.0.0/16', got 'everywhere' for c"),
        ({"b": "10.1.0.0/16", "c": "10.1.4.0/24"}, "must not overlap, .* got 10.1.0.0/16 of b and 10.1.4.0/24 of c"),
    ],
)
def test_vpcs_that_no_probe_could_ask_from_are_refused(vpcs: dict[str, str], problem: str) -> None:
    found = wrong_vpcs("a", ["a", "b", "c"], vpcs)

    assert re.search(problem, found) if problem else not found
