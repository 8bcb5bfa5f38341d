"""A template may hold anything: the estimate names what it cannot read and never breaks on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.cost import Usage, estimate, packaged
from mlplatform_cdk.assembly.cost.pricing import PRICED
from tests.assembly.cost.conftest import Priced, resource, write_assembly

NAMES = [
    "VpcEndpointType",
    "SubnetIds",
    "ServiceName",
    "LogDestinationType",
    "LogGroupName",
    "BillingMode",
    "ProvisionedThroughput",
    "Tier",
    "MemorySize",
    "Architectures",
    "TracingConfig",
    "FunctionName",
    "ProvisionedConcurrencyConfig",
    "Metrics",
    "Period",
    "FifoQueue",
    "FifoTopic",
    "Protocol",
    "Definition",
    "DefinitionString",
    "StateMachineType",
    "EndpointConfigName",
    "HomeEfsFileSystemCreation",
    "SpaceSettings",
    "InstanceType",
    "VolumeSizeInGB",
    "ProductionVariants",
    "ProtocolType",
    "Type",
    "Rules",
    "Size",
    "VolumeType",
    "CapacityProviderStrategy",
    "LaunchType",
    "DesiredCount",
    "TaskDefinition",
    "Replicas",
]
intrinsics = st.one_of(
    st.builds(lambda name: {"Ref": name}, st.sampled_from(["Parameter", "One", "AWS::NoValue", "AWS::Region"])),
    st.just({"Fn::GetAtt": ["One", "Arn"]}),
    st.just({"Fn::If": ["Big", 1, 2]}),
    st.just({"Fn::Sub": "${Parameter}-${One.Arn}-${!Kept}"}),
    st.just({"Fn::Sub": ["${A}", {"A": {"Ref": "One"}}]}),
    st.just({"Fn::Join": ["", ['{"States": ', {"Ref": "One"}, "}"]]}),
    st.just({"Fn::Join": {"Ref": "One"}}),
    st.just({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "Type"]}),
)
plain = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 4000), st.sampled_from(["", "7", "ml.m5.large", "x", "Interface"])
)
states = st.just(
    json.dumps({"States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob"}}})
)
values = st.recursive(
    st.one_of(plain, intrinsics, states),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(
                [*NAMES, "MetricStat", "ServerlessConfig", "MemorySizeInMB", "Mode", "States", "A", "Type", "Resource"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("broken", [{"Fn::Join": {"Ref": "One"}}, {"Fn::Join": [""]}, {"Fn::Sub": []}])
def test_a_text_that_is_no_text_is_named_and_not_priced(priced: Priced, broken: dict[str, Any]) -> None:
    machine = resource("AWS::StepFunctions::StateMachine", DefinitionString=broken)

    assert priced({"Machine": machine}, {}).unknown != ()


@pytest.mark.parametrize("kind", sorted(PRICED))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(properties=st.one_of(st.dictionaries(st.sampled_from(NAMES), values, max_size=5), values))
def test_no_property_breaks_the_estimate(tmp_path_factory: pytest.TempPathFactory, kind: str, properties: Any) -> None:
    template = {
        "Parameters": {"Parameter": {"Type": "String", "Default": "ml.m5.large"}},
        "Resources": {"One": {"Type": kind, "Properties": properties}, "Two": {"Type": kind}},
    }
    folder = write_assembly(tmp_path_factory.getbasetemp() / "odd", {"App": template})

    found = estimate(read(folder), packaged(), Usage())

    assert found.lines or found.gaps or found.free
    for line in found.lines:
        assert line.on_demand.complete == (not line.on_demand.unknown)
        assert line.charge.quantity is None or line.charge.quantity >= 0


def test_a_template_without_resources_costs_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = write_assembly(tmp_path_factory.mktemp("empty"), {"App": {}})

    found = estimate(read(folder), packaged(), Usage())

    assert found.totals().committed.complete
    assert found.totals().committed.known == 0


@pytest.mark.parametrize(
    ("template", "names"),
    [
        pytest.param(
            {
                "Resources": {
                    "Fn::ForEach::Nats": ["Zone", ["a", "b"], {"Nat${Zone}": resource("AWS::EC2::NatGateway")}]
                }
            },
            ("resources that AWS writes out at deployment (App/Fn::ForEach::Nats)",),
            id="a loop",
        ),
        pytest.param(
            {"Resources": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/k"}}}},
            ("resources that AWS writes out at deployment (App/Fn::Transform)",),
            id="an include",
        ),
        pytest.param(
            {"Resources": {"Topic": resource("AWS::SNS::TopicPolicy", **{"Fn::Transform": {"Name": "AWS::Include"}})}},
            ("properties that AWS writes out at deployment (App/Topic)",),
            id="properties",
        ),
        pytest.param(
            {"Transform": ["AWS::LanguageExtensions", "Own"]},
            ("what a transform adds to the template (App/Own)",),
            id="a macro",
        ),
    ],
)
def test_what_only_aws_writes_out_is_named(tmp_path: Path, template: dict[str, Any], names: tuple[str, ...]) -> None:
    found = estimate(read(write_assembly(tmp_path, {"App": template})), packaged(), Usage())

    assert found.unknown == names
    assert not found.totals().committed.complete
