"""Every environment of the platform, synthesized once per session, with cdk-nag looking on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from stacks.environments import BY_NAME, PlatformEnvironment
from stacks.stage import PlatformStage

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class StackTemplate:
    """One synthesized stack."""

    name: str
    path: Path
    region: str
    depends_on: tuple[str, ...]

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def template(self) -> dict[str, Any]:
        return json.loads(self.text)

    def resources(self, *types: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Logical id and resource, of the given types or of all."""
        for logical_id, resource in self.template["Resources"].items():
            if not types or resource["Type"] in types:
                yield logical_id, resource


@dataclass(frozen=True)
class Platform:
    """One synthesized environment."""

    environment: PlatformEnvironment
    stacks: Mapping[str, StackTemplate]
    findings: tuple[str, ...]


@pytest.fixture(scope="session")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Platform]:
    return {name: _synthesize(BY_NAME[name], tmp_path_factory.mktemp(name) / "cdk.out") for name in BY_NAME}


@pytest.fixture(scope="session")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Platform]:
    """What the library has beside the platform: delivery, functions, images, endpoints, releases, regions."""
    # It reads what this file defines.
    from tests.stacks.beside import delivery, function_in_a_vpc, image_pipeline
    from tests.stacks.beside_people import ab_tests, release_gates
    from tests.stacks.beside_regions import regional_api
    from tests.stacks.beside_releases import realtime_endpoint, release_train, train_station

    made = {
        "delivery": delivery,
        "function": function_in_a_vpc,
        "images": image_pipeline,
        "realtime": realtime_endpoint,
        "train": release_train,
        "station": train_station,
        "gates": release_gates,
        "tests": ab_tests,
        "region": regional_api,
    }
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in made.items()}


@pytest.fixture(scope="session")
def production(platforms: Mapping[str, Platform]) -> Mapping[str, Any]:
    """The templates of production; the apps that `mlplatform init` writes have a fixture of this name, too."""
    return {name: stack.template for name, stack in platforms["prod"].stacks.items()}


@pytest.fixture(params=sorted(BY_NAME))
def platform(request: pytest.FixtureRequest, platforms: Mapping[str, Platform]) -> Platform:
    return platforms[request.param]


def _synthesize(environment: PlatformEnvironment, outdir: Path) -> Platform:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context=context, outdir=str(outdir))
    packs = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks)
    Validations.of(app).add_plugins(*(pack(app) for pack in packs))
    stage = PlatformStage(app, f"MlPlatform-{environment.name.capitalize()}", environment=environment)
    try:
        app.synth()
    except RuntimeError as failure:
        if "Validation failed" not in str(failure):
            raise
    return Platform(environment, read_stacks(outdir / f"assembly-{stage.node.id}"), _read_findings(outdir))


def read_stacks(assembly: Path) -> Mapping[str, StackTemplate]:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {id_: one for id_, one in artifacts.items() if one["type"] == "aws:cloudformation:stack"}
    short = {id_: one["displayName"].split("/")[-1].split(" ")[0] for id_, one in stacks.items()}
    return {
        short[id_]: StackTemplate(
            name=short[id_],
            path=assembly / one["properties"]["templateFile"],
            region=one["environment"].rpartition("/")[2],
            depends_on=tuple(sorted(short[other] for other in one.get("dependencies", ()) if other in short)),
        )
        for id_, one in stacks.items()
    }


def _read_findings(outdir: Path) -> tuple[str, ...]:
    """What cdk-nag found: the rule and the construct's path."""
    report = json.loads((outdir / "validation-report.json").read_text())
    return tuple(
        f"{violation['ruleName']} at {construct['constructPath']}"
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    )
