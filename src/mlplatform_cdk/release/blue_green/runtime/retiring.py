"""Which models and configurations of former versions go: all but those of the last versions and of the live ones."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mlplatform_cdk.runtimekit import aws

_VERSION = re.compile(r"v(\d+)-")
# The operation that lists them, its answer's field, and the name in it.
_LISTS = {
    "models": ("list_models", "Models", "ModelName"),
    "endpoint_configs": ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A model or a configuration that releases made.

    :param name: of it.
    :param created: when.
    """

    name: str
    created: datetime


def to_delete(
    models: Sequence[Made], configurations: Sequence[Made], *, prefix: str, used: Iterable[str], kept_versions: int
) -> tuple[list[str], list[str]]:
    """The names of the models and of the configurations that go. Pure.

    :param models: of the endpoint's prefix.
    :param configurations: the same.
    :param prefix: of both.
    :param used: names that the endpoint needs now, which stay whatever their version.
    :param kept_versions: how many versions stay, the live one among them: those released last.
    """
    released = sorted(configurations, key=lambda one: one.created, reverse=True)
    order = dict.fromkeys(version_of(one.name, prefix) for one in released if one.name.endswith("-only"))
    named = {*used}
    live = [version_of(name, prefix) for name in named]
    kept = {*live, *[one for one in order if one not in live][: max(kept_versions - len({*live}), 0)]}

    def going(made: Sequence[Made]) -> list[str]:
        return [one.name for one in made if one.name not in named and version_of(one.name, prefix) not in kept]

    return going(models), going(configurations)


def version_of(name: str, prefix: str) -> str:
    """``3`` of ``dev-churn--v3-0a1b2c3d``."""
    found = _VERSION.match(name.removeprefix(prefix))
    return found[1] if found else name


def listed(kind: str, prefix: str) -> list[Made]:
    """The models or configurations whose names begin with ``prefix``.

    :param kind: ``models`` or ``endpoint_configs``.
    :param prefix: of their names.
    """
    operation, answer, field = _LISTS[kind]
    pages = aws.client("sagemaker").get_paginator(operation).paginate(NameContains=prefix)
    found = (one for page in pages for one in page[answer])
    return [Made(name=one[field], created=one["CreationTime"]) for one in found if one[field].startswith(prefix)]


def delete(models: Iterable[str], configurations: Iterable[str]) -> None:
    """Delete them; one that is gone already is no failure."""
    for name in configurations:
        _delete("delete_endpoint_config", EndpointConfigName=name)
    for name in models:
        _delete("delete_model", ModelName=name)


def _delete(operation: str, **name: str) -> None:
    sagemaker = aws.client("sagemaker")
    try:
        getattr(sagemaker, operation)(**name)
    except sagemaker.exceptions.ClientError as error:
        if "not find" not in error.response["Error"]["Message"]:
            raise
