"""What is refused at synth, and what is only advised?"""

import gzip
import json
from importlib import resources
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Stack
from botocore.loaders import Loader
from botocore.model import ServiceModel

from mlplatform_cdk.core import (
    ConfigurationError,
    has_graviton,
    has_local_storage,
    instance_type_of,
    is_before_cuda_13,
    require_ml_instance,
)
from mlplatform_cdk.core.instances import advice_on


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Serving")


def test_an_error_names_the_construct_what_must_hold_what_came_and_what_to_do(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        require_ml_instance(stack, "instance_type", "g5.xlarge")

    assert str(refusal.value) == (
        "[Serving] instance_type must have the form 'ml.<family>.<size>', got 'g5.xlarge'; try 'ml.g5.xlarge'"
    )


@pytest.mark.parametrize("name", ["ml.p4d.24xlarge", "ml.g4dn.xlarge", "ml.p9z.512xlarge", "ml.trn2-ultra.48xlarge"])
def test_a_type_that_the_catalogue_does_not_know_is_never_refused(stack: Stack, name: str) -> None:
    require_ml_instance(stack, "instance_type", name)


def test_a_token_is_not_checked_since_its_value_comes_at_deploy_time(stack: Stack) -> None:
    require_ml_instance(stack, "instance_type", CfnParameter(stack, "Type").value_as_string)


@pytest.mark.parametrize("name", ["", "ml.", "ml.m5", "large", "ml.m5.xlarge.x", "ML.m5.xlarge", 5])
def test_what_has_not_the_form_of_a_type_is_refused(stack: Stack, name: Any) -> None:
    with pytest.raises(ConfigurationError, match="must have the form"):
        require_ml_instance(stack, "instance_type", name)


@pytest.mark.parametrize(
    ("name", "gpus", "gpu_memory_gib", "efa"),
    [("ml.g4dn.xlarge", 1, 16, False), ("ml.g4dn.12xlarge", 4, 64, True), ("ml.p4d.24xlarge", 8, 320, True)],
)
def test_the_catalogue_knows_gpus_and_their_memory(name: str, gpus: int, gpu_memory_gib: int, *, efa: bool) -> None:
    known = instance_type_of(name)

    assert known is not None
    assert (known.gpus, known.gpu_memory_gib, known.has_efa) == (gpus, gpu_memory_gib, efa)


@pytest.mark.parametrize("name", ["ml.g4dn.xlarge", "ml.p4d.24xlarge", "ml.g5.xlarge", "ml.m5d.large", "ml.c6gd.large"])
def test_hosts_with_nvme_disks_refuse_a_volume_key(name: str) -> None:
    assert has_local_storage(name)


def sagemaker_types() -> set[str]:
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    kinds = ("ProductionVariant", "Processing", "Training", "Transform")
    return {name for kind in kinds for name in model.shape_for(f"{kind}InstanceType").enum}


def ec2_types() -> dict[str, Any]:
    """What EC2's DescribeInstanceTypes tells, as moto keeps it."""
    packed = resources.files("moto.ec2") / "resources" / "instance_types.json.gz"
    found: dict[str, Any] = json.loads(gzip.decompress(packed.read_bytes()))
    return found


def test_ec2_says_the_same_of_the_disks_of_every_type_that_sagemaker_has() -> None:
    told = ec2_types()
    both = {name: told[name[3:]] for name in sagemaker_types() if name[3:] in told}

    assert len(both) > 300
    assert [name for name, one in both.items() if one["InstanceStorageSupported"] != has_local_storage(name)] == []


@pytest.mark.parametrize("name", ["ml.p6-b200.48xlarge", "ml.p6-b300.48xlarge", "ml.p6e-gb200.36xlarge"])
def test_a_family_with_a_hyphen_has_its_disks_too(name: str) -> None:
    assert name in sagemaker_types()
    assert has_local_storage(name)


def test_ec2_says_the_same_of_the_processors_of_every_type_but_the_first_arm_ones() -> None:
    told = {f"ml.{name}": one["ProcessorInfo"]["SupportedArchitectures"] for name, one in ec2_types().items()}

    others = {name.split(".")[1] for name, those in told.items() if ("arm64" in those) != has_graviton(name)}
    assert others == {"a1"}


@pytest.mark.parametrize("name", ["ml.p2.xlarge", "ml.p3.2xlarge", "ml.p3dn.24xlarge"])
def test_cuda_13_has_no_code_for_the_oldest_gpus(name: str) -> None:
    assert is_before_cuda_13(name)
    assert not is_before_cuda_13("ml.p4d.24xlarge")
    assert not is_before_cuda_13("ml.g4dn.xlarge")


@pytest.mark.parametrize("name", ["ml.m5.large", "ml.c7g.xlarge", "ml.p3.2xlarge", "ml.g5g.xlarge", "ml.inf2.xlarge"])
def test_hosts_without_nvme_disks_take_a_volume_key(name: str) -> None:
    assert not has_local_storage(name)


@pytest.mark.parametrize(
    ("name", "hosts", "topics"),
    [
        pytest.param("ml.m5.large", 1, set(), id="nothing to say"),
        pytest.param("ml.g4dn.12xlarge", 2, {"volume-key"}, id="its disks encrypt themselves"),
        pytest.param("ml.g4dn.xlarge", 2, {"volume-key", "no-efa"}, id="several hosts without a fast network"),
        pytest.param("ml.m5.lagre", 1, {"unknown-instance-type"}, id="perhaps misspelt"),
    ],
)
def test_the_catalogue_advises(name: str, hosts: int, topics: set[str]) -> None:
    assert set(advice_on(name, hosts=hosts)) == topics
