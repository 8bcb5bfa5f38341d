"""Where the code comes from: any repository that AWS CodeConnections reaches."""

import re
from dataclasses import dataclass

from mlplatform_cdk.core import is_known

_CONNECTION = re.compile(
    r"arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# GitLab's groups may lie within groups: platform/machine-learning.
_OWNER = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
# What git-check-ref-format refuses in a branch.
_NO_BRANCH = re.compile(r"[\s~^:?*\[\\\x00-\x1f\x7f]|\.\.|//|@\{|^[-/.]|[/.]$|\.lock$|/\.|^@$|^$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSource:
    """A branch of a repository at GitHub, GitLab, Bitbucket or Azure DevOps, cloud or self-managed.

    :param connection_arn: the connection, which a person has completed in the console once.
    :param owner: the user, organization or group, such as ``my-company``.
    :param repository: its name, without the owner.
    :param branch: a push to it starts the pipeline; default: main.
    """

    connection_arn: str
    owner: str
    repository: str
    branch: str = "main"

    def __post_init__(self) -> None:
        """Refuse what CodePipeline would only refuse at deployment, or never find."""
        if is_known(self.connection_arn) and not _CONNECTION.fullmatch(self.connection_arn):
            raise ValueError(
                "connection_arn must look like 'arn:aws:codeconnections:us-east-1:123456789012:connection/<uuid>', "
                f"got {self.connection_arn!r}; copy it from Developer Tools, Settings, Connections"
            )
        if is_known(self.owner) and not _OWNER.fullmatch(self.owner):
            raise ValueError(f"owner must be a user, an organization or a group, got {self.owner!r}")
        if is_known(self.repository) and not _NAME.fullmatch(self.repository):
            raise ValueError(f"repository must be a name without its owner, got {self.repository!r}")
        if is_known(self.branch):
            _require_branch(self.branch)


def _require_branch(branch: str) -> None:
    if branch.startswith("refs/"):
        raise ValueError(f"branch must be a branch's name, got {branch!r}; try {branch.removeprefix('refs/heads/')!r}")
    if _NO_BRANCH.search(branch):
        raise ValueError(f"branch must be a name that git allows, such as 'main', got {branch!r}")
