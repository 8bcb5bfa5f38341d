"""Does a template become what it says, and does one that cannot say why?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.deploy import DeploymentEvent, DeploymentFailed, deploy, destroy
from mlplatform_cdk.local.settings import Settings
from tests.local.control.handmade import assembly_of, assembly_of_all

Client = Callable[[str], Any]

BAD_QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "not a name!"}}


def parameter(name: str, value: object, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": value}, **more}


def value_of(client: Client, name: str) -> str:
    return str(client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def test_stacks_are_made_in_order_and_read_one_anothers_parameters(
    aws: Settings, client: Client, tmp_path: Path
) -> None:
    first = {"Resources": {"P": parameter("/order/base", "forty-two")}}
    second = {
        "Parameters": {"Base": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/order/base"}},
        "Resources": {"P": parameter("/order/copy", {"Fn::Sub": "it is ${Base}"})},
    }

    report = deploy(assembly_of_all(tmp_path, {"OrderOne": first, "OrderTwo": second}), aws)

    assert [(stack.name, stack.action) for stack in report.stacks] == [("OrderOne", "created"), ("OrderTwo", "created")]
    assert value_of(client, "/order/copy") == "it is forty-two"


def test_outputs_and_exports_are_those_of_the_template(aws: Settings, tmp_path: Path) -> None:
    exporter = {
        "Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "exported"}}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Q", "Arn"]}, "Export": {"Name": "queue-arn"}}},
    }
    importer = {
        "Resources": {"P": parameter("/imported", {"Fn::ImportValue": "queue-arn"})},
        "Outputs": {"Same": {"Value": {"Fn::GetAtt": ["P", "Value"]}}},
    }

    report = deploy(assembly_of_all(tmp_path, {"Exporter": exporter, "Importer": importer}), aws)

    arn = f"arn:aws:sqs:{aws.region}:{aws.account}:exported"
    assert [stack.outputs for stack in report.stacks] == [{"Arn": arn}, {"Same": arn}]


def test_every_step_is_told_as_it_happens(aws: Settings, tmp_path: Path) -> None:
    events: list[DeploymentEvent] = []

    deploy(assembly_of(tmp_path, "Told", {"Resources": {"P": parameter("/told", "x")}}), aws, on_event=events.append)

    assert [(event.logical_id, event.status) for event in events] == [
        ("Told", "CREATE_IN_PROGRESS"),
        ("P", "CREATE_IN_PROGRESS"),
        ("P", "CREATE_COMPLETE"),
        ("Told", "CREATE_COMPLETE"),
    ]


def test_events_are_asked_for_once_a_stack_where_nobody_listens(
    aws: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Counting(Administrator):
        def client(self, service: str, region: str | None = None) -> Any:
            made = super().client(service, region)
            made.meta.events.register("before-call.cloudformation.DescribeStackEvents", _count, unique_id="counting")
            return made

    def _count(params: dict[str, Any], **_: Any) -> None:
        asked.append(params["body"]["StackName"])

    monkeypatch.setattr("mlplatform_cdk.local.deploy.Administrator", Counting)
    assembly = assembly_of(tmp_path, "Quiet", {"Resources": {"P": parameter("/quiet", "x")}})

    deploy(assembly, aws)
    destroy(assembly, aws)

    assert asked == ["Quiet"]


def test_a_template_that_did_not_change_changes_nothing(aws: Settings, tmp_path: Path) -> None:
    assembly = assembly_of(tmp_path, "Same", {"Resources": {"P": parameter("/same", "x")}})
    deploy(assembly, aws)

    assert deploy(assembly, aws).stacks[0].action == "unchanged"


def test_an_unnamed_resource_is_changed_in_place(aws: Settings, client: Client, tmp_path: Path) -> None:
    def template(seconds: int) -> dict[str, Any]:
        queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": seconds}}
        return {"Resources": {"Q": queue}, "Outputs": {"Url": {"Value": {"Ref": "Q"}}}}

    before = deploy(assembly_of(tmp_path, "InPlace", template(30)), aws).stacks[0]
    after = deploy(assembly_of(tmp_path, "InPlace", template(60)), aws).stacks[0]

    assert (after.action, after.outputs) == ("updated", before.outputs)
    attributes = client("sqs").get_queue_attributes(QueueUrl=after.outputs["Url"], AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "60"


def test_what_cannot_change_is_replaced_and_those_who_refer_to_it_follow(
    aws: Settings, client: Client, tmp_path: Path
) -> None:
    def template(name: str) -> dict[str, Any]:
        queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}
        return {"Resources": {"Q": queue, "P": parameter("/replaced", {"Fn::GetAtt": ["Q", "QueueName"]})}}

    deploy(assembly_of(tmp_path, "Replaced", template("old-queue")), aws)
    deploy(assembly_of(tmp_path, "Replaced", template("new-queue")), aws)

    urls = client("sqs").list_queues().get("QueueUrls", [])
    assert value_of(client, "/replaced") == "new-queue"
    assert [url for url in urls if url.endswith("old-queue")] == []


def test_a_removed_resource_is_deleted(aws: Settings, client: Client, tmp_path: Path) -> None:
    kept, removed = parameter("/kept", "x"), parameter("/removed", "x")
    deploy(assembly_of(tmp_path, "Removal", {"Resources": {"Kept": kept, "Removed": removed}}), aws)

    deploy(assembly_of(tmp_path, "Removal", {"Resources": {"Kept": kept}}), aws)

    with pytest.raises(client("ssm").exceptions.ParameterNotFound):
        value_of(client, "/removed")


def test_a_failure_names_the_resource_and_leaves_nothing(aws: Settings, client: Client, tmp_path: Path) -> None:
    template = {"Resources": {"P": parameter("/undone", "x"), "Bad": BAD_QUEUE | {"DependsOn": "P"}}}

    with pytest.raises(DeploymentFailed, match=r"Failing: Bad \(AWS::SQS::Queue\): CreateQueue: .*ROLLBACK_COMPLETE"):
        deploy(assembly_of(tmp_path, "Failing", template), aws)

    with pytest.raises(client("ssm").exceptions.ParameterNotFound):
        value_of(client, "/undone")


def test_a_stack_that_failed_at_first_can_be_deployed_anew(aws: Settings, tmp_path: Path) -> None:
    with pytest.raises(DeploymentFailed):
        deploy(assembly_of(tmp_path, "Retried", {"Resources": {"Bad": BAD_QUEUE}}), aws)

    report = deploy(assembly_of(tmp_path, "Retried", {"Resources": {"P": parameter("/retried", "x")}}), aws)

    assert report.stacks[0].action == "created"


def test_a_failed_update_goes_back_to_what_was(aws: Settings, client: Client, tmp_path: Path) -> None:
    deploy(assembly_of(tmp_path, "Back", {"Resources": {"P": parameter("/back", "old")}}), aws)
    broken = {"Resources": {"P": parameter("/back", "new"), "Bad": BAD_QUEUE | {"DependsOn": "P"}}}

    with pytest.raises(DeploymentFailed, match="UPDATE_ROLLBACK_COMPLETE"):
        deploy(assembly_of(tmp_path, "Back", broken), aws)

    assert value_of(client, "/back") == "old"


def test_types_that_are_not_here_are_named_before_anything_is_made(
    aws: Settings, client: Client, tmp_path: Path
) -> None:
    fine = {"Resources": {"P": parameter("/never", "x")}}
    strange = {"Resources": {"T": {"Type": "AWS::IoT::TopicRule"}, "G": {"Type": "AWS::GameLift::Fleet"}}}

    with pytest.raises(DeploymentFailed, match=r"AWS::GameLift::Fleet \(G\).*AWS::IoT::TopicRule \(T\)") as failure:
        deploy(assembly_of_all(tmp_path, {"Fine": fine, "Strange": strange}), aws)

    assert len(failure.value.report.unsupported) == 2
    with pytest.raises(client("ssm").exceptions.ParameterNotFound):
        value_of(client, "/never")


def test_records_that_stand_for_resources_are_named(aws: Settings, tmp_path: Path) -> None:
    template = {
        "Resources": {
            "S": {"Type": "AWS::SageMaker::MonitoringSchedule", "Properties": {"MonitoringScheduleConfig": {}}}
        }
    }

    report = deploy(assembly_of(tmp_path, "StandIn", template), aws)

    stand_in = report.stand_ins["AWS::SageMaker::MonitoringSchedule"]
    assert stand_in == {"why": "monitoring schedules do not run in a rehearsal", "resources": ["StandIn/S"]}


def test_properties_that_are_ignored_are_named(aws: Settings, tmp_path: Path) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"IntelligentTieringConfigurations": [{"Id": "x"}]}}

    report = deploy(assembly_of(tmp_path, "Ignored", {"Resources": {"B": bucket}}), aws)

    assert report.not_honoured == {"AWS::S3::Bucket.IntelligentTieringConfigurations": ["Ignored/B"]}


def test_a_change_that_is_not_taken_over_is_named(aws: Settings, tmp_path: Path) -> None:
    def template(team: str) -> dict[str, Any]:
        tags = [{"Key": "team", "Value": team}]
        return {"Resources": {"G": {"Type": "AWS::Logs::LogGroup", "Properties": {"Tags": tags}}}}

    deploy(assembly_of(tmp_path, "Retagged", template("one")), aws)

    assert deploy(assembly_of(tmp_path, "Retagged", template("two")), aws).not_honoured == {
        "AWS::Logs::LogGroup.Tags": ["Retagged/G"]
    }


def test_stacks_are_destroyed_from_the_last_to_the_first_and_keep_what_they_retain(
    aws: Settings, client: Client, tmp_path: Path
) -> None:
    retained = parameter("/retained", "x", DeletionPolicy="Retain")
    assembly = assembly_of_all(
        tmp_path,
        {"End1": {"Resources": {"P": retained}}, "End2": {"Resources": {"P": parameter("/let-go", "x")}}},
    )
    deploy(assembly, aws)

    report = destroy(assembly, aws)

    assert [(stack.name, stack.action) for stack in report.stacks] == [("End2", "deleted"), ("End1", "deleted")]
    assert value_of(client, "/retained") == "x"
    assert destroy(assembly, aws).stacks == []


def test_a_bucket_with_objects_cannot_be_destroyed_as_in_aws(aws: Settings, client: Client, tmp_path: Path) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full-of-things"}}
    assembly = assembly_of(tmp_path, "Full", {"Resources": {"B": bucket}})
    deploy(assembly, aws)
    client("s3").put_object(Bucket="full-of-things", Key="thing", Body=b"x")

    with pytest.raises(DeploymentFailed, match=r"failed to delete: \[B\]"):
        destroy(assembly, aws)


def test_what_could_not_be_destroyed_keeps_what_it_needs_until_it_goes(
    aws: Settings, client: Client, tmp_path: Path
) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "needs-another"}, "DependsOn": ["Needed"]}
    needed = parameter("/needed", {"Ref": "Below"})
    rest = {"Below": parameter("/needed-by-that", "x"), "Beside": parameter("/needed-by-none", "x")}
    names = ["/needed", "/needed-by-that", "/needed-by-none"]
    assembly = assembly_of(tmp_path, "Held", {"Resources": {"B": bucket, "Needed": needed, **rest}})
    deploy(assembly, aws)
    client("s3").put_object(Bucket="needs-another", Key="thing", Body=b"x")

    with pytest.raises(DeploymentFailed, match=r"failed to delete: \[B\]"):
        destroy(assembly, aws)
    kept = client("ssm").get_parameters(Names=names)["Parameters"]
    client("s3").delete_object(Bucket="needs-another", Key="thing")
    report = destroy(assembly, aws)

    assert {one["Name"] for one in kept} == {"/needed", "/needed-by-that"}
    assert [stack.action for stack in report.stacks] == ["deleted"]
    assert client("ssm").get_parameters(Names=names)["Parameters"] == []


def test_the_account_counts_as_bootstrapped(aws: Settings, client: Client, tmp_path: Path) -> None:
    deploy(assembly_of(tmp_path, "Bootstrapped", {"Resources": {"P": parameter("/any", "x")}}), aws)

    assert int(value_of(client, "/cdk-bootstrap/hnb659fds/version")) >= 6


def test_parameters_come_from_the_caller_or_the_template(aws: Settings, client: Client, tmp_path: Path) -> None:
    template = {
        "Parameters": {"A": {"Type": "String", "Default": "a"}, "B": {"Type": "String"}},
        "Resources": {"P": parameter("/parameters", {"Fn::Join": ["-", [{"Ref": "A"}, {"Ref": "B"}]]})},
    }
    assembly = assembly_of(tmp_path, "Parametrized", template)

    with pytest.raises(DeploymentFailed, match=r"Parameters: \[B\] must have values"):
        deploy(assembly, aws)
    deploy(assembly, aws, parameters={"Parametrized": {"B": "b"}})

    assert value_of(client, "/parameters") == "a-b"
