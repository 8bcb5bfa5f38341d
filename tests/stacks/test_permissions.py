"""Does every permission name its action and, where AWS lets it, its resource?"""

import json
from collections.abc import Iterable, Mapping

from tests.stacks.conftest import Platform
from tests.stacks.policies import statements
from tests.stacks.wildcards import NOTHING, WILDCARDS, Wildcard
from tests.stacks.wildcards_beside import ACTIONS, BESIDE
from tests.stacks.wildcards_regions import BETWEEN
from tests.stacks.wildcards_ways_out import WAYS_OUT

PLATFORM = (*WILDCARDS, *BETWEEN, *WAYS_OUT)

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


def test_beside_the_stacks_cdk_pipelines_alone_writes_actions_that_are_patterns(beside: Mapping[str, Platform]) -> None:
    found = {
        (one.type, action, resource)
        for platform in beside.values()
        for one in statements(platform)
        for action in one.actions
        for resource in one.resources
        if one.effect == ALLOW and ("*" in action or "?" in action)
    }

    assert found - {("AWS::KMS::Key", "kms:*", "*")} == set(ACTIONS)


def test_every_resource_that_is_a_pattern_is_reviewed_and_every_review_is_of_one(
    platforms: Mapping[str, Platform], beside: Mapping[str, Platform]
) -> None:
    for reviews, those in ((PLATFORM, platforms), *((BESIDE[name], {name: one}) for name, one in beside.items())):
        found, reviewed = patterns(those), reviewed_by(reviews)

        assert {key: found[key] for key in found.keys() - reviewed} == {}, "in no list of tests/stacks/wildcards*.py"
        assert reviewed - found.keys() == set(), "in a list of tests/stacks/wildcards*.py, and in no template"


def patterns(platforms: Mapping[str, Platform]) -> dict[tuple[str, str, str], str]:
    return {
        (one.type, action, resource): f"{name}/{one.stack}/{one.logical_id}"
        for name, platform in platforms.items()
        for one in statements(platform)
        for action in one.actions
        for resource in one.resources
        if one.effect == ALLOW and ("*" in resource or "?" in resource)
    }


def reviewed_by(reviews: Iterable[Wildcard]) -> set[tuple[str, str, str]]:
    return {(one.within, action, one.resource) for one in reviews for action in one.actions}


def test_every_action_on_a_key_belongs_to_its_account_alone(
    platforms: Mapping[str, Platform], beside: Mapping[str, Platform]
) -> None:
    owners = [
        json.dumps(statement["Principal"])
        for platform in (*platforms.values(), *beside.values())
        for stack in platform.stacks.values()
        for _, key in stack.resources("AWS::KMS::Key")
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
        if statement["Action"] == "kms:*" and statement["Effect"] == ALLOW
    ]

    assert owners
    assert [one for one in owners if ":root" not in one or "Service" in one or "*" in one] == []


def test_each_review_has_a_reason_and_a_page_of_aws() -> None:
    every = [*PLATFORM, *(one for reviews in BESIDE.values() for one in reviews)]

    assert [one for one in every if not one.reason or not one.reference.startswith("https://docs.aws.")] == []
    assert [one for one in NOTHING if one.resource != "*"] == []


def test_no_policy_allows_by_what_it_does_not_name(platform: Platform) -> None:
    assert [(one.stack, one.logical_id) for one in statements(platform) if one.effect == ALLOW and one.unusual] == []
