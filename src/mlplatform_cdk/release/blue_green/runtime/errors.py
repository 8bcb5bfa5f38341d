"""How a release ends before its end; the name tells the two kinds apart in the execution."""

from mlplatform_cdk.runtimekit.errors import KnownError


class ReleaseRefused(KnownError):
    """A release that never began: nothing was touched."""


class ReleaseFailed(KnownError):
    """A release that must go back."""


class ReleaseUnjudged(ReleaseFailed):
    """A release that must go back because green had too few requests, which is nobody's fault."""


class ReleaseDisturbed(ReleaseFailed):
    """A release that must go back because an alarm of the business rings that its green cannot have caused."""


class ReleaseWithdrawn(ReleaseFailed):
    """A release that must go back because its version is not approved any more."""


class NameTaken(ReleaseFailed):
    """Something that this release did not make has a name that it needs, which says nothing about its version."""


class NoInstances(ReleaseFailed):
    """A fleet that AWS had no instances for, which says nothing about its version."""


class Throttled(Exception):
    """AWS had no time for a call, or a fault of its own: the machine makes the step again, by this class's name."""
