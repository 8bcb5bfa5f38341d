"""Would every environment deploy, and would it be safe?"""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tests.stacks.alarms import described, documents, leads_nowhere
from tests.stacks.conftest import Platform

PARTITIONS = "arn:aws:iam::aws:policy"
STATEFUL = {
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::ModelPackageGroup",
}


def test_cfn_lint_finds_nothing_in_the_region_of_each_stack(platforms: Mapping[str, Platform]) -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    paths = defaultdict(list)
    for platform in platforms.values():
        for stack in platform.stacks.values():
            paths[stack.region].append(str(stack.path))
    found = {}
    for region, those in paths.items():
        command = [lint, "--format", "json", "--regions", region, "--", *those]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        found[region] = [(one["Rule"]["Id"], one["Message"], one["Filename"]) for one in json.loads(result.stdout)]

    assert found == {"us-east-1": [], "eu-west-1": [], "eu-central-1": []}


def test_cdk_nag_finds_nothing(platform: Platform) -> None:
    assert platform.findings == ()


def test_no_role_has_a_policy_of_aws(platform: Platform) -> None:
    for stack in platform.stacks.values():
        assert PARTITIONS not in stack.text.replace("${AWS::Partition}", "aws")
        assert "FullAccess" not in stack.text


def test_stacks_share_no_exports(platform: Platform) -> None:
    for stack in platform.stacks.values():
        assert "Fn::ImportValue" not in stack.text
        assert not [one for one in stack.template.get("Outputs", {}).values() if "Export" in one]


def test_a_custom_resource_runs_code_of_ours_and_never_cdks(platform: Platform) -> None:
    for stack in platform.stacks.values():
        functions = dict(stack.resources("AWS::Lambda::Function"))
        assert all(one["Properties"]["Handler"].startswith("mlplatform_cdk.") for one in functions.values())
        for logical_id, resource in stack.resources():
            if resource["Type"].startswith("Custom::"):
                token = resource["Properties"]["ServiceToken"]["Fn::GetAtt"][0]
                assert token in functions, f"{stack.name}/{logical_id}"


def test_a_stack_reads_only_what_a_stack_before_it_published(platform: Platform) -> None:
    published = {
        (stack.region, resource["Properties"]["Name"]): stack.name
        for stack in platform.stacks.values()
        for _, resource in stack.resources("AWS::SSM::Parameter")
    }
    for stack in platform.stacks.values():
        for parameter in stack.template.get("Parameters", {}).values():
            if str(parameter.get("Default", "")).startswith("/mlplatform/"):
                maker = published[stack.region, parameter["Default"]]
                assert maker in stack.depends_on, f"{stack.name}: {parameter['Default']}"


def test_nothing_that_an_event_or_a_function_could_lose_is_lost(platform: Platform) -> None:
    for stack in platform.stacks.values():
        for logical_id, rule in stack.resources("AWS::Events::Rule"):
            for target in rule["Properties"]["Targets"]:
                assert "DeadLetterConfig" in target, f"{stack.name}/{logical_id}"
        for logical_id, function in stack.resources("AWS::Lambda::Function"):
            assert "DeadLetterConfig" in function["Properties"], f"{stack.name}/{logical_id}"


def test_jobs_reach_only_the_networks_own_endpoints(platform: Platform) -> None:
    for stack in platform.stacks.values():
        assert "0.0.0.0/0" not in stack.text
        assert not list(stack.resources("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway"))


def test_data_survives_its_stack_in_staging_and_production_only(platform: Platform) -> None:
    expected = "Delete" if platform.environment.name == "dev" else "Retain"
    policies = {
        f"{stack.name}/{logical_id}": resource["DeletionPolicy"]
        for stack in platform.stacks.values()
        for logical_id, resource in stack.resources("AWS::KMS::Key", "AWS::S3::Bucket", "AWS::SageMaker::Domain")
    }
    # The names keep nothing: their key encrypts messages on their way alone.
    assert policies.pop("Names/KeysDataA2F7C5E6", "Delete") == "Delete"

    assert policies
    assert set(policies.values()) == {expected}


def test_what_holds_state_keeps_its_logical_id(platform: Platform) -> None:
    found = {
        name: {logical_id for logical_id, _ in stack.resources(*STATEFUL)} for name, stack in platform.stacks.items()
    }

    foundation, registry = {"AccessLogs8B620ECA", "Artifacts82DD59A1", "KeysDataA2F7C5E6"}, {"ModelsC55D3500"}
    elsewhere = platform.environment.further_regions
    assert {name: ids for name, ids in found.items() if ids} == {
        "Foundation": foundation,
        "Registry": registry,
        "Data": {"Lake5F1B88EA"},
        "Workspace": {"Studio43727D10"},
        **{f"Foundation-{region}": foundation for region in elsewhere},
        **{f"Registry-{region}": registry for region in elsewhere},
        **({"Names": {"KeysDataA2F7C5E6"}} if platform.environment.domain_name else {}),
    }


def test_every_alarm_links_a_runbook_that_is_there(platform: Platform) -> None:
    there, alarms = documents(platform), dict(described(platform))

    assert alarms
    assert {name: said for name, said in alarms.items() if leads_nowhere(said, there)} == {}
    assert bool(there) == (platform.environment.domain_name is not None)


def test_an_alarm_that_leads_nowhere_is_found() -> None:
    console = "https://eu-west-1.console.aws.amazon.com/systems-manager/documents/churn-drain/description"
    named = f"It rings. Runbook: churn-drain, to take the region out of service: {console}?region=eu-west-1"

    assert not leads_nowhere(named, {("eu-west-1", "churn-drain")})
    assert leads_nowhere(named, {("us-east-1", "churn-drain")})
    assert leads_nowhere("It rings", {("eu-west-1", "churn-drain")})
    assert leads_nowhere("It rings. What to do: look, docs/runbooks.md#look", set())
    assert not leads_nowhere("It rings. What to do: drain it, docs/runbooks.md#drain", set())
    over = "It rings. Runbook: churn-drain (a, b), churn-roll-back (c), by the alarm that rings, docs/runbooks.md#which"
    assert not leads_nowhere(over, {("eu-west-1", "churn-drain"), ("eu-west-1", "churn-roll-back")})
    assert leads_nowhere(over, {("eu-west-1", "churn-drain")})
