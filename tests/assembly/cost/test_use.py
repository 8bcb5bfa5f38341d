"""What does each unit of use cost, and what does the assumed use add? Each figure is reckoned by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from mlplatform_cdk.assembly.cost import Amount, Estimate, Usage, packaged
from tests.assembly.cost.conftest import Priced, resource


def amounts(**values: str | int) -> Usage:
    return Usage(amounts={name: Decimal(value) for name, value in values.items()})


def rates(found: Estimate) -> dict[str, Decimal | None]:
    return {line.charge.per: line.rate for line in found.lines if line.charge.per}


def test_a_function_costs_by_invocations_and_gb_seconds_of_its_processor(priced: Priced) -> None:
    function = resource("AWS::Lambda::Function", MemorySize=512, Architectures=["arm64"])

    found = priced(
        {"Function": function},
        {"lambda.request-arm": "0.0000002", "lambda.gb-second-arm": "0.00001"},
        usage=amounts(function_invocations=1_000_000, function_seconds="0.5"),
    )

    assert found.totals().used == Amount(known=Decimal("0.2") + 1_000_000 * Decimal("0.25") * Decimal("0.00001"))
    assert rates(found) == {"million Lambda invocations": Decimal("0.2"), "Lambda GB-second": Decimal("0.00001")}


def test_an_experiment_costs_by_the_minutes_of_its_actions_wherever_the_packaged_prices_are_of(priced: Priced) -> None:
    actions = {name: {"ActionId": "aws:ssm:start-automation-execution"} for name in ("Break", "Slow")}
    experiment = resource("AWS::FIS::ExperimentTemplate", Actions=actions)

    found = priced({"Experiment": experiment}, {"fis.action-minute": "0.1"}, usage=amounts(experiment_minutes=20))

    assert found.totals().used == Amount(known=Decimal(4))
    assert rates(found) == {"minute of an action of an experiment": Decimal("0.1")}
    book = packaged()
    priced_regions = {region for item, region in book.prices if item == "elb.application-hour"}
    assert {region for item, region in book.prices if item == "fis.action-minute"} == priced_regions


def test_a_vault_costs_by_what_its_backups_are_of_and_what_is_not_known_of_it_is_named(priced: Priced) -> None:
    resources = {"Vault": resource("AWS::Backup::BackupVault"), "Plan": resource("AWS::Backup::BackupPlan")}

    found = priced(
        resources,
        {"backup.table-gb-month": "0.1", "backup.bucket-gb-month": "0.05"},
        usage=amounts(table_backup_gb=30, bucket_backup_gb=200, file_system_backup_gb=1),
    )

    assert found.totals().used.known == Decimal(3 + 10)
    assert "price: backup.file-system-gb-month in eu-west-1" in found.unknown
    assert any(name.startswith("cold storage, restores and what copies") for name in found.unknown)


def test_kept_warm_concurrency_is_a_commitment(priced: Priced) -> None:
    resources = {
        "Function": resource("AWS::Lambda::Function", MemorySize=1024),
        "Alias": resource(
            "AWS::Lambda::Alias",
            FunctionName={"Ref": "Function"},
            ProvisionedConcurrencyConfig={"ProvisionedConcurrentExecutions": 2},
        ),
    }

    found = priced(resources, {"lambda.provisioned-gb-second-x86": "0.000004"})

    assert found.totals().committed == Amount(known=2 * 730 * 3600 * Decimal("0.000004"))


def task(action: str, parameters: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    way = {"Next": following} if following else {"End": True}
    return {"Type": "Task", "Resource": f"arn:aws:states:::sagemaker:{action}", "Parameters": parameters, **way}


def training(*, spot: bool = False, count: int = 1, following: str | None = None) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.g5.xlarge", "InstanceCount": count, "VolumeSizeInGB": 73}
    parameters = {"ResourceConfig": cluster} | ({"EnableManagedSpotTraining": True} if spot else {})
    return task("createTrainingJob.sync", parameters, following)


def processing(following: str | None = None) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    return task("createProcessingJob.sync", {"ProcessingResources": {"ClusterConfig": cluster}}, following)


def machine(states: dict[str, Any], start: str = "Train") -> dict[str, Any]:
    definition = json.dumps({"StartAt": start, "States": states})
    return resource("AWS::StepFunctions::StateMachine", DefinitionString=definition)


PRICES = {
    "states.transition": "0.000025",
    "sagemaker.training-hour/ml.g5.xlarge": "1.5",
    "sagemaker.training-storage-gb-month": "0.15",
    "sagemaker.processing-hour/ml.m5.large": "0.1",
}


def test_a_training_job_costs_its_instances_and_their_volumes(priced: Priced) -> None:
    found = priced({"Machine": machine({"Train": training(count=2)})}, PRICES, usage=amounts(executions=3))

    volume = 2 * 73 * Decimal("0.15") / 730
    assert rates(found)["training hour"] == 3
    assert rates(found)["training hour, its volume"] == volume
    assert found.totals().used == Amount(known=3 * (3 + volume) + 3 * Decimal("0.000025"))


def test_states_that_exclude_one_another_share_the_executions(priced: Priced) -> None:
    states = {
        "First": processing("Which"),
        "Which": {"Type": "Choice", "Choices": [{"Next": "One"}], "Default": "Other"},
        "One": processing("End"),
        "Other": processing("End"),
        "End": {"Type": "Succeed"},
    }

    found = priced({"Machine": machine(states, "First")}, PRICES, usage=amounts(executions=10, processing_hours=1))

    hours = [line.charge.quantity for line in found.lines if line.charge.per == "processing hour"]
    assert hours == [10, 5, 5]


def test_jobs_inside_parallel_branches_and_maps_are_seen(priced: Priced) -> None:
    inner = {"StartAt": "Train", "States": {"Train": training()}}
    states = {
        "Both": {"Type": "Parallel", "Branches": [inner, inner], "Next": "Each"},
        "Each": {"Type": "Map", "ItemProcessor": inner, "End": True},
    }

    found = priced({"Machine": machine(states, "Both")}, PRICES)

    assert len([line for line in found.lines if line.charge.per == "training hour"]) == 3


def test_managed_spot_has_no_price_until_somebody_says_what_it_takes_off(priced: Priced) -> None:
    found = priced({"Machine": machine({"Train": training(spot=True)})}, PRICES)

    assert found.totals().used.complete
    assert found.totals().used_discounted.unknown == {"discount: managed_spot_training"}
    assert "discount: managed_spot_training" in found.unknown


def test_the_spot_discount_of_the_usage_file_counts_for_spot_jobs_only(priced: Priced) -> None:
    usage = Usage(amounts={"executions": Decimal(1)}, discounts={"managed_spot_training": Decimal("0.6")})
    states = {"Train": training(spot=True, following="Again"), "Again": training()}

    found = priced({"Machine": machine(states)}, {**PRICES, "sagemaker.training-storage-gb-month": "0.01"}, usage=usage)

    before, after = found.totals().used, found.totals().used_discounted
    assert before.known - after.known == Decimal("1.5") * Decimal("0.6")


def test_a_type_that_an_execution_decides_is_unknown_by_name(priced: Priced) -> None:
    job = task("createTrainingJob", {"ResourceConfig": {"InstanceType.$": "$.type", "InstanceCount": 1}})

    found = priced({"Machine": machine({"Train": job})}, PRICES)

    assert found.unknown == ("price: sagemaker.training-hour/a type decided later in eu-west-1",)


def test_one_resource_can_be_used_more_than_the_others(priced: Priced) -> None:
    usage = Usage(amounts={"bucket_gb": Decimal(1)}, resources={"App/Foundation/La*": {"bucket_gb": Decimal(500)}})
    buckets = {"Lake": resource("AWS::S3::Bucket"), "Logs": resource("AWS::S3::Bucket")}

    found = priced(buckets, {"s3.standard-gb-month": "0.02", "s3.read": "1", "s3.write": "1"}, usage=usage)

    stored = {line.place.logical_id: line.on_demand.known for line in found.lines if "GB" in line.charge.per}
    assert stored == {"Lake": 10, "Logs": Decimal("0.02")}


def test_one_state_can_be_used_more_than_the_others(priced: Priced) -> None:
    usage = Usage(amounts={"executions": Decimal(1)}, resources={"*:Again": {"training_hours": Decimal(8)}})
    states = {"Train": training(following="Again"), "Again": training()}

    found = priced({"Machine": machine(states)}, PRICES, usage=usage)

    assert [line.charge.quantity for line in found.lines if line.charge.per == "training hour"] == [1, 8]


@pytest.mark.parametrize(
    ("one", "item", "per"),
    [
        (resource("AWS::SQS::Queue"), "sqs.request", "million requests to queues"),
        (resource("AWS::SQS::Queue", FifoQueue=True), "sqs.fifo-request", "million requests to FIFO queues"),
        (resource("AWS::SNS::Topic"), "sns.request", "million messages to topics"),
        (resource("AWS::SNS::Subscription", Protocol="email"), "sns.email", "100,000 emails"),
        (resource("AWS::Events::EventBus"), "events.custom-event", "million custom events"),
        (resource("AWS::ECR::Repository"), "ecr.gb-month", "GB and month of images"),
        (resource("AWS::EC2::FlowLog"), "logs.vended-gb", "GB of flow log"),
        (resource("AWS::EC2::FlowLog", LogDestinationType="s3"), "logs.vended-to-s3-gb", "GB of flow log"),
    ],
)
def test_what_is_used_commits_to_nothing(priced: Priced, one: dict[str, Any], item: str, per: str) -> None:
    found = priced({"One": one}, {item: "0.5"})

    assert found.totals().committed == Amount()
    assert [(line.charge.item, line.charge.per) for line in found.lines] == [(item, per)]


BACKED = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
OLD, NEW = "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(resource(OLD, BillingMode="PAY_PER_REQUEST", **BACKED), id="a table"),
        pytest.param(resource(NEW, BillingMode="PAY_PER_REQUEST", Replicas=[BACKED]), id="a table of the newer kind"),
    ],
)
def test_continuous_backups_cost_by_the_size_of_their_table(priced: Priced, one: dict[str, Any]) -> None:
    free = dict.fromkeys(("dynamodb.gb-month", "dynamodb.read", "dynamodb.write"), "0")

    found = priced({"Table": one}, {"dynamodb.backup-gb-month": "0.2", **free}, usage=amounts(table_gb=30))

    assert found.totals().used == Amount(known=Decimal(6))


@pytest.mark.parametrize(
    "properties",
    [{}, {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "false"}}, {"Replicas": [{}]}],
)
def test_a_table_without_continuous_backups_pays_for_none(priced: Priced, properties: dict[str, Any]) -> None:
    for kind in (OLD, NEW):
        found = priced({"Table": resource(kind, BillingMode="PAY_PER_REQUEST", **properties)}, {})

        assert {line.charge.item for line in found.lines} == {"dynamodb.gb-month", "dynamodb.read", "dynamodb.write"}


def test_whether_a_table_has_continuous_backups_is_named_where_deployment_decides(priced: Priced) -> None:
    decided_later = {"PointInTimeRecoveryEnabled": {"Ref": "DecidedLater"}}
    table = resource(OLD, BillingMode="PAY_PER_REQUEST", PointInTimeRecoverySpecification=decided_later)
    known = dict.fromkeys(("dynamodb.gb-month", "dynamodb.read", "dynamodb.write", "dynamodb.backup-gb-month"), "1")

    found = priced({"Table": table}, known)

    assert found.totals().used.unknown == {"how much: continuous backups of the table (App/Foundation/Table)"}


def test_logs_that_a_flow_log_fills_are_charged_once(priced: Priced) -> None:
    resources = {
        "Group": resource("AWS::Logs::LogGroup"),
        "Flow": resource("AWS::EC2::FlowLog", LogGroupName={"Ref": "Group"}),
    }

    found = priced(resources, {})

    assert {line.charge.item for line in found.lines} == {"logs.stored-gb-month", "logs.vended-gb"}
