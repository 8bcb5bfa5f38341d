"""Does a version come to another account as it left, and only as it left?"""

import json

import pytest

from mlplatform_cdk.release.train.runtime import promotion, releases
from mlplatform_cdk.release.train.runtime.errors import PromotionFailed, ReleaseLost, TrainRefused
from mlplatform_cdk.release.train.runtime.promotion import objects
from mlplatform_cdk.release.train.runtime.station import Station, StationFacts
from mlplatform_cdk.runtimekit.model_package import PackageFacts
from tests.release.train.two_accounts import ABROAD, ARCHIVE, DOCKER, FACTS, HOME, INDEX, OTHER, REGION, World, sha256


def test_a_version_arrives_with_all_that_belongs_to_it(world: World) -> None:
    package = world.register()

    made = promotion.promote(package, Station(FACTS))

    assert not made.live
    there = world.abroad("sagemaker").describe_model_package(ModelPackageName=made.package_arn)
    assert there["ModelPackageArn"].startswith(f"arn:aws:sagemaker:{OTHER}:{ABROAD}:model-package/prod-churn/")
    assert there["ModelApprovalStatus"] == "Approved"
    (container,) = there["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == "s3://abroad/runs/promoted/r1/churn-1/model.tar.gz"
    digest = world.home("ecr").describe_images(repositoryName="serving")["imageDetails"][0]["imageDigest"]
    assert container["Image"] == f"{ABROAD}.dkr.ecr.{OTHER}.amazonaws.com/promoted@{digest}"
    assert container["Environment"] == {"LOG_LEVEL": "INFO"}
    facts = PackageFacts.from_metadata(there["CustomerMetadataProperties"])
    assert (facts.manifest_uri, facts.metrics) == (
        "s3://abroad/runs/promoted/r1/churn-1/manifest.json",
        {"roc_auc": 0.91},
    )
    assert there["CustomerMetadataProperties"]["promoted_from"] == package["ModelPackageArn"]
    archive = world.abroad("s3").get_object(Bucket="abroad", Key="runs/promoted/r1/churn-1/model.tar.gz")["Body"].read()
    assert archive == ARCHIVE


def test_every_layer_of_its_image_arrives_under_its_digest(world: World) -> None:
    promotion.promote(world.register(), Station(FACTS))

    asked = [*world.blobs]
    answer = world.abroad("ecr").batch_check_layer_availability(repositoryName="promoted", layerDigests=asked)
    assert {one["layerDigest"] for one in answer["layers"]} == set(asked)
    assert len(asked) == 3


def test_what_is_there_is_not_copied_again(world: World) -> None:
    package = world.register()
    first = promotion.promote(package, Station(FACTS))
    world.downloads.clear()

    again = promotion.promote(package, Station(FACTS))

    assert again == first
    assert world.downloads == []
    assert (
        len(
            world.abroad("sagemaker").list_model_packages(ModelPackageGroupName="prod-churn")["ModelPackageSummaryList"]
        )
        == 1
    )


def test_two_versions_of_one_run_lie_apart(world: World) -> None:
    """A station's version serves from its folder, which the next one must not write over."""
    for _ in range(2):
        promotion.promote(world.register(), Station(FACTS))

    found = world.abroad("s3").list_objects_v2(Bucket="abroad")["Contents"]
    assert {one["Key"].rpartition("/")[0] for one in found} == {
        "runs/promoted/r1/churn-1",
        "runs/promoted/r1/churn-2",
    }


def test_layers_that_are_there_from_an_earlier_image_stay(world: World) -> None:
    promotion.promote(world.register(), Station(FACTS))
    world.downloads.clear()
    world.push(world.home("ecr"), "serving", "8", b"debian", b"python 2")

    promotion.promote(world.register(image="serving:8"), Station(FACTS))

    assert world.downloads == [f"sha256:{sha256(b'python 2')}"]


def test_an_index_arrives_with_the_images_that_it_names(world: World) -> None:
    child = world.push(world.home("ecr"), "serving", "child", b"only arm")
    content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"digest": child, "mediaType": DOCKER, "size": 1}]}
    digest = world.put(world.home("ecr"), "serving", "index", content)

    promotion.promote(world.register(image="serving:index"), Station(FACTS))

    there = world.abroad("ecr").describe_images(repositoryName="promoted")["imageDetails"]
    assert {one["imageDigest"] for one in there} == {digest, child}


def test_an_equal_image_of_the_endpoint_itself_needs_no_copy(world: World) -> None:
    world.push(world.home("ecr"), "serving", "same", b"another image")

    made = promotion.promote(world.register(image="serving:same"), Station(FACTS))

    there = world.abroad("sagemaker").describe_model_package(ModelPackageName=made.package_arn)
    (container,) = there["InferenceSpecification"]["Containers"]
    assert container["Image"] == f"{ABROAD}.dkr.ecr.{OTHER}.amazonaws.com/assets:own"
    assert world.downloads == []


def test_an_archive_that_was_changed_since_it_was_registered_goes_nowhere(world: World) -> None:
    package = world.register(archive=b"another archive")

    sentence = (
        f"model.tar.gz must have the digest {sha256(ARCHIVE)} that was registered, got {sha256(b'another archive')}"
    )
    with pytest.raises(PromotionFailed, match=sentence):
        promotion.promote(package, Station(FACTS))
    assert world.versions_abroad() == []


def test_a_copy_that_is_damaged_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "digest_of", lambda *_: "0" * 64)

    with pytest.raises(PromotionFailed, match=r"must have the digest .* of what was sent, got 000"):
        promotion.promote(world.register(), Station(FACTS))


def test_a_layer_that_is_damaged_goes_nowhere(world: World) -> None:
    package = world.register()
    world.blobs[f"sha256:{sha256(b'python')}"] = b"something else"

    with pytest.raises(PromotionFailed, match=f"a layer must have its digest sha256:{sha256(b'python')}"):
        promotion.promote(package, Station(FACTS))


def test_an_image_that_is_not_there_is_told(world: World) -> None:
    with pytest.raises(PromotionFailed, match="the image serving:99 must exist"):
        promotion.promote(world.register(image="serving:99"), Station(FACTS))


def test_a_version_that_the_station_has_rejected_is_not_released_by_a_train(world: World) -> None:
    package = world.register()
    made = promotion.promote(package, Station(FACTS))
    world.abroad("sagemaker").update_model_package(
        ModelPackageArn=made.package_arn, ModelApprovalStatus="Rejected", ApprovalDescription="golden requests failed"
    )

    with pytest.raises(PromotionFailed, match=r"must be Approved at prod-us, got Rejected"):
        promotion.promote(package, Station(FACTS))


def test_a_station_at_home_needs_no_copy(world: World) -> None:
    address = {
        "machine": f"arn:aws:states:{REGION}:{HOME}:stateMachine:release",
        "group": "churn",
        "bucket": "home",
        "prefix": "runs/promoted/",
        "repository": "serving",
        "image": f"{HOME}.dkr.ecr.{REGION}.amazonaws.com/serving:7",
    }
    world.home("ssm").put_parameter(Name="/mlplatform/train/churn", Value=json.dumps(address), Type="String")
    package = world.register()
    facts = StationFacts(
        name="staging",
        region=REGION,
        role_arn=f"arn:aws:iam::{HOME}:role/r",
        external_id="id",
        parameter="/mlplatform/train/churn",
    )

    made = promotion.promote(package, Station(facts))

    assert made.package_arn == package["ModelPackageArn"]
    assert world.downloads == []


def test_a_parameter_that_does_not_say_what_is_there_is_told(world: World) -> None:
    world.abroad("ssm").put_parameter(Name=FACTS.parameter, Value='{"machine": "m"}', Type="String", Overwrite=True)

    with pytest.raises(TrainRefused, match="a station's parameter must hold bucket, group, image, machine"):
        Station(FACTS)


def machine_abroad(world: World) -> None:
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}
    world.abroad("stepfunctions").create_state_machine(
        name="release", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ABROAD}:role/machine"
    )


def test_a_release_that_is_started_twice_is_one(world: World) -> None:
    machine_abroad(world)
    station = Station(FACTS)

    first = releases.start(station, "arn:train:1", "out", {"model_package_arn": "a"})
    again = releases.start(station, "arn:train:1", "out", {"model_package_arn": "a"})
    back = releases.start(station, "arn:train:1", "back", {"action": "rollback"})

    assert first == again
    assert back != first
    assert first.startswith(f"arn:aws:states:{OTHER}:{ABROAD}:execution:release:train-")


def test_a_release_that_runs_is_looked_at_until_nobody_has_patience(world: World) -> None:
    machine_abroad(world)
    station = Station(FACTS)
    release = releases.start(station, "arn:train:1", "out", {})

    assert releases.look(station, release, looks=0, most_looks=3) == {
        "ended": False,
        "ok": False,
        "reason": "",
        "looks": 1,
    }
    with pytest.raises(ReleaseLost, match="the release at prod-us must end in time, and still runs"):
        releases.look(station, release, looks=2, most_looks=3)


def test_a_release_that_was_stopped_says_why(world: World) -> None:
    machine_abroad(world)
    station = Station(FACTS)
    release = releases.start(station, "arn:train:1", "out", {})
    world.abroad("stepfunctions").stop_execution(executionArn=release, error="Release.Aborted", cause="Ada: not now")

    found = releases.look(station, release, looks=0, most_looks=3)

    assert (found["ended"], found["ok"]) == (True, False)
    assert found["reason"].startswith("ABORTED")
