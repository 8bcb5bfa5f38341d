"""SageMaker's own resources: endpoints that a template owns, Studio, notebook instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Charge, Free, Unseen
from mlplatform_cdk.assembly.cost.pricing.instances import fleet_charges, instance_item, variants_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource

_SMALLEST_NOTEBOOK_GB = 5
_APPS = {"JupyterLab": ("jupyterlab", "JupyterLabAppSettings"), "CodeEditor": ("codeeditor", "CodeEditorAppSettings")}


def _endpoint(endpoint: Resource) -> Iterator[Charge | Unseen]:
    """An endpoint is charged for what its configuration asks for; a configuration alone costs nothing."""
    named = endpoint.raw.get("EndpointConfigName")
    logical_id = _logical_id(named)
    for config in endpoint.neighbours("AWS::SageMaker::EndpointConfig"):
        if config.logical_id == logical_id or (isinstance(named, str) and config.get("EndpointConfigName") == named):
            for variants in ("ProductionVariants", "ShadowProductionVariants"):
                for fleet in variants_of(config.get(variants), f"of {endpoint.logical_id}"):
                    yield from fleet_charges(endpoint, fleet)
            return
    yield Unseen("an endpoint whose configuration is not in its template")


def _logical_id(value: object) -> str | None:
    """The resource behind a ``Ref`` or the ``Fn::GetAtt`` of a name."""
    if not isinstance(value, dict):
        return None
    got = value.get("Ref") or value.get("Fn::GetAtt")
    if isinstance(got, list):
        got = got[0]
    return str(got).partition(".")[0] if got else None


def _domain(domain: Resource) -> Iterator[Charge | Free]:
    if domain.get("HomeEfsFileSystemCreation") == "Disabled":
        yield Free("a domain without a home file system costs nothing; its spaces do")
        return
    yield Charge(
        what="home directories in EFS",
        item="efs.standard-gb-month",
        quantity=domain.use("file_system_gb"),
        per="GB and month of files",
    )


def _space(space: Resource) -> Iterator[Charge]:
    size = space.number("SpaceSettings", "SpaceStorageSettings", "EbsStorageSettings", "EbsVolumeSizeInGb")
    yield Charge(
        what=f"volume of the space: {size or 'the size that its domain gives'} GB",
        item="sagemaker.studio-storage-gb-month",
        quantity=size,
    )
    app = space.get("SpaceSettings", "AppType")
    if app not in _APPS:
        return
    item, settings = _APPS[app]
    instance_type = space.get("SpaceSettings", settings, "DefaultResourceSpec", "InstanceType")
    yield Charge(
        what=f"{app} on {instance_type or 'an instance that its user picks'}",
        item=instance_item(f"sagemaker.{item}-hour", instance_type),
        quantity=space.use("studio_hours"),
        per="Studio hour",
        discount="sagemaker_savings_plan",
    )


def _notebook(notebook: Resource) -> Iterator[Charge]:
    instance_type = notebook.get("InstanceType")
    yield Charge(
        what=f"notebook instance: {instance_type}",
        item=instance_item("sagemaker.notebook-hour", instance_type),
        quantity=notebook.usage.hours,
        discount="sagemaker_savings_plan",
    )
    yield Charge(
        what="volume of the notebook instance",
        item="sagemaker.notebook-storage-gb-month",
        quantity=notebook.number("VolumeSizeInGB", default=_SMALLEST_NOTEBOOK_GB),
    )


PRICED = {
    "AWS::SageMaker::Endpoint": _endpoint,
    "AWS::SageMaker::Domain": _domain,
    "AWS::SageMaker::Space": _space,
    "AWS::SageMaker::NotebookInstance": _notebook,
}
