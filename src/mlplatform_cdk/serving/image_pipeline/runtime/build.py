"""One build, from its start to its end."""

import time
from collections.abc import Callable, Mapping

from mlplatform_cdk.runtimekit import aws, logs
from mlplatform_cdk.runtimekit.errors import KnownError

_LOG = logs.logger("image")
_POLL_S = 5.0
_UNDER_WAY, _DONE = "IN_PROGRESS", "SUCCEEDED"


class BuildError(KnownError):
    """There is no new image."""


def run(project: str, variables: Mapping[str, str], *, seconds_left: Callable[[], float]) -> None:
    """Build, and return when the image is there.

    :param project: the CodeBuild project.
    :param variables: of its environment.
    :param seconds_left: how much longer this may take.
    """
    codebuild = aws.client("codebuild")
    settings = [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in sorted(variables.items())]
    build_id = codebuild.start_build(projectName=project, environmentVariablesOverride=settings)["build"]["id"]
    _LOG.info("started", extra={"build": build_id, "tag": variables["TAG"]})
    while (status := codebuild.batch_get_builds(ids=[build_id])["builds"][0]["buildStatus"]) == _UNDER_WAY:
        if seconds_left() <= 0:
            codebuild.stop_build(id=build_id)
            raise BuildError(f"build {build_id} must end within 14 minutes, and was stopped; read its log in CodeBuild")
        time.sleep(min(_POLL_S, max(seconds_left(), 0.0)))
    if status != _DONE:
        raise BuildError(f"build {build_id} must succeed, got {status}; read its log in CodeBuild")
