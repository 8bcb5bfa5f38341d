"""A platform whose models' container is up at once, and whose releases pass by every state of their machine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aws_cdk import App, Environment
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from mlplatform_cdk.assembly import Assembly, read
from mlplatform_cdk.core.images import PlatformImage
from mlplatform_cdk.foundation import Notifications
from mlplatform_cdk.local import deploy, server
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.release import BlueGreenRelease, Gate, Strategy
from mlplatform_cdk.serving import ReleasedEndpoint
from tests.release import platforms
from tests.release.rehearsal.conftest import ENDPOINT, GROUP, RULES, Rehearsal
from tests.release.rehearsal.journeys import CONTRACT
from tests.release.rehearsal.walk import Walk

STRATEGY = Strategy(
    steps=(50.0, 100.0),
    observe=timedelta(seconds=1),
    look_every=timedelta(seconds=1),
    gates=(Gate(at_percent=50.0),),
    bake=timedelta(0),
    retention=timedelta(seconds=30),
    warm_up_requests=0,
    rules=RULES,
)


class TinyImage(PlatformImage):
    """A container of a few lines, in place of the serving image."""

    def __init__(self, scope: Construct, id: str) -> None:
        asset = ecr_assets.DockerImageAsset(scope, f"{id}Asset", directory=str(Path(__file__).parent / "tiny"))
        super().__init__(
            scope,
            id,
            image_uri=asset.image_uri,
            version=asset.asset_hash,
            repository_arn=asset.repository.repository_arn,
        )


@contextmanager
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The platform, deployed, before its first release."""
    # A person has a minute; a retirement that is made again waits an hour in AWS, which nobody waits for here.
    settings = Settings(
        state_dir=tmp_path_factory.mktemp("aws"), clock_factor=0.01, longest_wait_s=1.0, longest_answer_s=60.0
    )
    assembly = _synthesize(tmp_path_factory.mktemp("assembly") / "cdk.out", settings)
    with server.start(settings) as running:
        report = deploy.deploy(assembly, running.settings)
        outputs = dict(report.stacks[0].outputs)
        walk = Walk.of(Rehearsal(Administrator(running.settings), assembly, outputs, _archive(), CONTRACT))
        walk.use()
        yield walk


def _archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        text = CONTRACT.to_json().encode()
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return packed.getvalue()


def _synthesize(outdir: Path, settings: Settings) -> Assembly:
    app = App(outdir=str(outdir))
    where = Environment(account=settings.account, region=settings.region)
    base = platforms.base(app, "Interrupted", where, group=GROUP)
    stack, key, artifacts = base.stack, base.key, base.artifacts
    endpoint = ReleasedEndpoint(
        stack, "Endpoint", endpoint_name=ENDPOINT, artifacts=artifacts, key=key, image=TinyImage(stack, "TinyImage")
    )
    release = BlueGreenRelease(
        stack,
        "Release",
        endpoint=endpoint,
        registry=base.registry,
        artifacts=artifacts,
        strategy=STRATEGY,
        records=base.records(),
        notifications=Notifications(stack, "Topic", key=key),
    )
    base.say(
        {
            "Bucket": artifacts.bucket_name,
            "Image": endpoint.image.image_uri,
            "Machine": release.state_machine.state_machine_arn,
            "RecordsTable": release.records.table_name,
        }
    )
    app.synth()
    return read(outdir)
