"""Which quotas must be asked for, and what do a project's own rules find?"""

from pathlib import Path

import pytest

from mlplatform_cdk.assembly import AssemblyError
from mlplatform_cdk.assembly.check.policy import read_policy
from mlplatform_cdk.assembly.check.quotas import quotas
from tests.assembly.check.conftest import Make, machine

TRAIN = "arn:aws:states:::sagemaker:createTrainingJob.sync"
GOOD = '''
from mlplatform_cdk.assembly.check.policy import Violation, rule

@rule("acme-owner", "AWS::S3::Bucket", severity="warning", way_out="tag it", url="https://example.com")
def owned(resource):
    """Somebody must answer for it."""
    if not resource.get("Tags"):
        yield "the bucket has no owner"

@rule("acme-names")
def named(resource):
    if resource.get("A.B") == 1:
        yield Violation(message="it is one", property_path="A.B", way_out="make it two")
'''


def test_instances_of_endpoints_and_jobs_are_summed_per_type_and_usage(template: Make) -> None:
    variants = [{"InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 2}, {"ServerlessConfig": {}}]
    cluster = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 4}
    on_demand = {"Resource": TRAIN, "Parameters": {"ResourceConfig": cluster}}
    spot = {"Resource": TRAIN, "Parameters": {"ResourceConfig": cluster, "EnableManagedSpotTraining": True}}
    asked = {"Resource": TRAIN, "Parameters": {"ResourceConfig": {"InstanceType.$": "$.t", "InstanceCount.$": "$.n"}}}
    made = template(
        {
            "C": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": variants}},
            "M": machine(on_demand, on_demand, spot, asked),
            "Vpc": {"Type": "AWS::EC2::VPC"},
        }
    )

    assert [(row[2], row[3]) for row in quotas([made]).rows] == [
        ("Number of instances across active endpoints", "2"),
        ("ml.g5.xlarge for endpoint usage", "2"),
        ("ml.g5.xlarge for spot training job usage", "4"),
        ("ml.g5.xlarge for training job usage", "4"),
        ("the instance type of the run for training job usage", "0 and what a run asks for"),
        ("VPCs per Region", "1"),
    ]


def test_the_command_asks_for_what_is_needed_where_it_is_needed(template: Make) -> None:
    (row,) = quotas([template({"Vpc": {"Type": "AWS::EC2::VPC"}, "Two": {"Type": "AWS::EC2::VPC"}})]).rows

    assert row[0] == "123456789012 eu-west-1"
    assert row[-1] == (
        "aws service-quotas request-service-quota-increase --service-code vpc --region eu-west-1 --quota-code "
        '"$(aws service-quotas list-aws-default-service-quotas --service-code vpc --region eu-west-1 '
        """--query "Quotas[?QuotaName=='VPCs per Region'].QuotaCode" --output text)" --desired-value 2"""
    )


def policy(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.py"
    path.write_text(text)
    return path


def test_a_projects_rules_find_what_they_yield(template: Make, tmp_path: Path) -> None:
    made = template({"B": {"Type": "AWS::S3::Bucket"}, "X": {"Type": "X", "Properties": {"A": {"B": 1}}}})
    found = [finding for rule in read_policy(policy(tmp_path, GOOD)) for finding in rule.findings(made)]

    assert [(one.rule, one.severity, one.logical_id, one.message, one.way_out) for one in found] == [
        ("acme-owner", "warning", "B", "the bucket has no owner", "tag it"),
        ("acme-names", "error", "X", "it is one", "make it two"),
    ]
    assert (found[0].reason, found[0].tools) == ("Somebody must answer for it.", ("policy.py",))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = 1", "has no rule; decorate a function with @rule"),
        ("import nothing_of_the_kind", "cannot be imported: ModuleNotFoundError"),
        ("def (", "cannot be imported: SyntaxError"),
    ],
)
def test_a_policy_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(AssemblyError, match=sentence):
        read_policy(policy(tmp_path, text))


def test_a_policy_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match=r"none\.py does not exist; name a file of rules that does"):
        read_policy(tmp_path / "none.py")


def test_a_rule_that_breaks_names_itself_and_the_place(template: Make, tmp_path: Path) -> None:
    (rule,) = read_policy(
        policy(tmp_path, "from mlplatform_cdk.assembly.check.policy import rule\n@rule('r')\ndef r(x): return 1 / 0")
    )

    with pytest.raises(AssemblyError, match=r"rule r of policy\.py failed at B: ZeroDivisionError"):
        list(rule.findings(template({"B": {"Type": "AWS::S3::Bucket"}})))
