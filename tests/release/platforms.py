"""What the rehearsals of releases, A/B tests and trains have alike: a platform, versions in it, and patience."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Environment, RemovalPolicy
from aws_cdk import aws_kms as kms

from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.runtimekit.model_package import PackageFacts
from tests.once import once
from tests.training.jobs import rehearsal as jobs

_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Base:
    """What every platform has, and what goes with it when it is deleted."""

    stack: PlatformStack
    key: kms.IKey
    artifacts: ArtifactStore
    registry: ModelRegistry

    def records(self) -> ReleaseRecords:
        """The table of its releases."""
        return ReleaseRecords(self.stack, "Records", key=self.key, removal_policy=RemovalPolicy.DESTROY)

    def say(self, outputs: Mapping[str, str]) -> None:
        """Let the stack tell these, by these names."""
        for name, value in outputs.items():
            CfnOutput(self.stack, f"Out{name}", value=value).override_logical_id(name)


def base(app: App, name: str, where: Environment, *, group: str) -> Base:
    """A stack with a key, a store and a registry."""
    stack = PlatformStack(app, name, env=where)
    gone = RemovalPolicy.DESTROY
    key = Keys(stack, "Keys", removal_policy=gone).data
    return Base(
        stack=stack,
        key=key,
        artifacts=ArtifactStore(stack, "Artifacts", key=key, removal_policy=gone),
        registry=ModelRegistry(stack, "Models", model_package_group_name=group, removal_policy=gone),
    )


def register(
    aws: Administrator,
    run: str,
    *,
    group: str,
    bucket: str,
    image: str,
    archive: bytes,
    manifest: bytes,
    approval: str = "PendingManualApproval",
) -> str:
    """A version in the registry, whose files lie where training puts them."""
    s3, folder = aws.client("s3"), f"s3://{bucket}/runs/{run}"
    for name, body in {"model.tar.gz": archive, "manifest.json": manifest, "evaluation.json": b"{}"}.items():
        s3.put_object(Bucket=bucket, Key=f"runs/{run}/{name}", Body=body)
    facts = PackageFacts(
        run_id=run,
        dataset_version="d",
        dataset_uri="s3://lake/raw/",
        code_version="c",
        manifest_uri=f"{folder}/manifest.json",
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        evaluation_uri=f"{folder}/evaluation.json",
        model_data_sha256=hashlib.sha256(archive).hexdigest(),
    )
    arn: str = aws.client("sagemaker").create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus=approval,
        CustomerMetadataProperties=facts.to_metadata(),
        InferenceSpecification={
            "Containers": [{"Image": image, "ModelDataUrl": f"{folder}/model.tar.gz"}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    return arn


def end_of(aws: Administrator, execution: str, *, patience_s: float) -> dict[str, Any]:
    """The description of an execution that has ended."""
    describe = aws.client("stepfunctions").describe_execution
    ended: dict[str, Any] = until(
        lambda: (now := describe(executionArn=execution))["status"] != "RUNNING" and now, patience_s
    )
    return ended


def until(seen: Callable[[], Any], patience_s: float) -> Any:
    """What ``seen`` answers, once that is something."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if found := seen():
            return found
        time.sleep(_LOOK_EVERY_S)
    raise AssertionError("it did not happen in time")


def packed(folder: Path) -> bytes:
    """The archive of a model's files."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as opened:
        for file in sorted(folder.iterdir()):
            opened.add(file, file.name)
    return archive.getvalue()


def trained(factory: pytest.TempPathFactory) -> tuple[bytes, Manifest]:
    """The archive of a model that the platform's own training made, and its manifest."""

    def train(folder: Path) -> None:
        tree = jobs.ship(factory.mktemp("tree"))
        prepared = jobs.preprocess(tree, factory.mktemp("p"), {"a.csv": jobs.breast_cancer()})
        model = jobs.train(tree, factory.mktemp("t"), prepared.output("dataset"), {}).base / "model"
        shutil.copytree(model, folder, dirs_exist_ok=True)

    model = once(factory, "trained", train)
    return packed(model), Manifest.from_json((model / "manifest.json").read_bytes())
