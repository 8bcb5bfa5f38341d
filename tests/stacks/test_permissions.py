"""Does every permission name its action and, where AWS lets it, its resource?"""

from collections.abc import Mapping

from tests.stacks.conftest import Platform
from tests.stacks.policies import statements
from tests.stacks.wildcards import NOTHING, WILDCARDS

# Deny statements are meant wide.
ALLOW = "Allow"


def test_no_action_is_a_pattern_save_the_accounts_own_over_its_key(platform: Platform) -> None:
    found = {
        (one.type, action)
        for one in statements(platform)
        for action in one.actions
        if one.effect == ALLOW and ("*" in action or "?" in action)
    }

    assert found == {("AWS::KMS::Key", "kms:*")}


def test_every_resource_that_is_a_pattern_is_reviewed_and_every_review_is_of_one(
    platforms: Mapping[str, Platform],
) -> None:
    found = {
        (one.type, action, resource): f"{name}/{one.stack}/{one.logical_id}"
        for name, platform in platforms.items()
        for one in statements(platform)
        for action in one.actions
        for resource in one.resources
        if one.effect == ALLOW and ("*" in resource or "?" in resource)
    }
    reviewed = {(one.within, action, one.resource) for one in WILDCARDS for action in one.actions}

    assert {key: found[key] for key in found.keys() - reviewed} == {}, "not in tests/stacks/wildcards.py"
    assert reviewed - found.keys() == set(), "in tests/stacks/wildcards.py, and in no template"


def test_each_review_has_a_reason_and_a_page_of_aws() -> None:
    assert [one for one in WILDCARDS if not one.reason or not one.reference.startswith("https://docs.aws.")] == []
    assert [one for one in NOTHING if one.resource != "*"] == []


def test_no_policy_allows_by_what_it_does_not_name(platform: Platform) -> None:
    assert [(one.stack, one.logical_id) for one in statements(platform) if one.effect == ALLOW and one.unusual] == []
