"""Does a train take what S3 and ECR have replicated already, and only where it is what was registered?"""

import json

import pytest

from mlplatform_cdk.release.train.runtime import promotion
from mlplatform_cdk.release.train.runtime.promotion import objects
from mlplatform_cdk.release.train.runtime.station import Station
from tests.release.train.two_accounts import (
    ABROAD,
    ARCHIVE,
    DOCKER,
    FACTS,
    INDEX,
    MANIFEST,
    OTHER,
    VERDICT,
    World,
    sha256,
)


def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is read at home to be sent, from now on."""
    sent: list[str] = []

    class Watched(objects._Digested):
        def read(self, size: int = -1) -> bytes:
            chunk = super().read(size)
            sent.append(self.digest)
            return chunk

    monkeypatch.setattr(objects, "_Digested", Watched)
    return sent


def test_an_archive_that_s3_has_replicated_is_copied_where_it_is_and_nothing_of_it_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = world.register()
    for name, body in {"model.tar.gz": ARCHIVE, "manifest.json": MANIFEST}.items():
        world.abroad("s3").put_object(Bucket="abroad", Key=f"runs/r1/{name}", Body=body)
    sent = watched(monkeypatch)

    promotion.promote(package, Station(FACTS))

    folder = "runs/promoted/r1/churn-1"
    read = {
        name: world.abroad("s3").get_object(Bucket="abroad", Key=f"{folder}/{name}")["Body"].read()
        for name in ("model.tar.gz", "manifest.json", "evaluation.json")
    }
    assert read == {"model.tar.gz": ARCHIVE, "manifest.json": MANIFEST, "evaluation.json": VERDICT}
    assert {*sent} == {sha256(VERDICT)}  # which has no digest that a replica could be checked by


def test_a_replica_with_another_digest_is_not_what_is_released(world: World) -> None:
    package = world.register()
    world.abroad("s3").put_object(Bucket="abroad", Key="runs/r1/model.tar.gz", Body=b"of an earlier run")

    promotion.promote(package, Station(FACTS))

    there = world.abroad("s3").get_object(Bucket="abroad", Key="runs/promoted/r1/churn-1/model.tar.gz")["Body"]
    assert there.read() == ARCHIVE


def replicating(world: World, prefix: str) -> None:
    """The station says that ECR replicates these repositories to it."""
    ssm = world.abroad("ssm")
    address = json.loads(ssm.get_parameter(Name=FACTS.parameter)["Parameter"]["Value"]) | {"replicated": [prefix]}
    ssm.put_parameter(Name=FACTS.parameter, Value=json.dumps(address), Type="String", Overwrite=True)


def image_of(world: World, made: promotion.Promoted) -> str:
    there = world.abroad("sagemaker").describe_model_package(ModelPackageName=made.package_arn)
    (container,) = there["InferenceSpecification"]["Containers"]
    return str(container["Image"])


def test_an_image_that_ecr_has_replicated_is_served_from_where_it_is(world: World) -> None:
    replicating(world, "serv")
    world.abroad("ecr").create_repository(repositoryName="serving")
    digest = world.push(world.abroad("ecr"), "serving", "7", b"debian", b"python")

    made = promotion.promote(world.register(), Station(FACTS))

    assert image_of(world, made) == f"{ABROAD}.dkr.ecr.{OTHER}.amazonaws.com/serving@{digest}"
    assert world.downloads == []


@pytest.mark.parametrize("arrived", ["no repository", "another image", "an index without its images"])
def test_an_image_that_ecr_has_not_replicated_yet_is_copied(world: World, arrived: str) -> None:
    replicating(world, "serving")
    child = world.push(world.home("ecr"), "serving", "child", b"only arm")
    content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"digest": child, "mediaType": DOCKER, "size": 1}]}
    digest = world.put(world.home("ecr"), "serving", "index", content)
    if arrived != "no repository":
        world.abroad("ecr").create_repository(repositoryName="serving")
        world.push(world.abroad("ecr"), "serving", "6", b"debian")
    if arrived == "an index without its images":
        world.put(world.abroad("ecr"), "serving", "index", content)

    made = promotion.promote(world.register(image="serving:index"), Station(FACTS))

    assert image_of(world, made) == f"{ABROAD}.dkr.ecr.{OTHER}.amazonaws.com/promoted@{digest}"
