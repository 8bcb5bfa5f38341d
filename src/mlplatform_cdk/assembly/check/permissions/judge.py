"""Permissions that a role lacks for what is called under it, and those that nothing under it uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mlplatform_cdk.assembly.check.permissions import excuses
from mlplatform_cdk.assembly.check.permissions.roles import Allowed, covers
from mlplatform_cdk.assembly.check.permissions.targets import Target, out_of_reach
from mlplatform_cdk.assembly.check.references import unmarked
from mlplatform_cdk.assembly.check.templates import Resource
from mlplatform_cdk.assembly.findings import Finding, Severity

MISSING, UNUSED = "permission-missing", "permission-unused"
TOOL = "mlplatform"
_SHOWN = 3  # resources named in one message


def missing(role: Resource, may: Allowed, needed: Mapping[str, str], user: str) -> Iterator[Finding]:
    """Actions that fail when they are called.

    :param needed: each action, and where it is called.
    """
    for action, place in sorted(needed.items()):
        denied = may.denies(action)
        if denied or (action not in may and not may.opaque):
            grant = f"grant {action} to the role on the resource that the call names"
            yield role.finding(
                f"{MISSING}[{action}]",
                Severity.ERROR,
                f"{user} calls {action} ({place}), which its role {'denies' if denied else 'does not allow'}",
                reason="the call is refused, but only when it is made",
                way_out=f"take {action} out of the statement that denies it" if denied else grant,
                tools=(TOOL,),
            )


def unreached(role: Resource, may: Allowed, needed: Iterable[Target], user: str) -> Iterator[Finding]:
    """Calls whose action is allowed, on other resources than the one that they name."""
    for target in needed:
        on = () if may.opaque else out_of_reach(may, target, role.template.references)
        if on:
            others = ", ".join(on[:_SHOWN]) + (" and others" if on[_SHOWN:] else "")
            yield role.finding(
                f"{MISSING}[{target.action}]",
                Severity.ERROR,
                f"{user} calls {target.action} on {unmarked(target.arn)} ({target.place}); its role allows that on "
                f"{others} only",
                reason="the call is refused, but only when it is made",
                way_out=f"grant {target.action} to the role on the resource that the call names",
                tools=(TOOL,),
            )


def unused(role: Resource, may: Allowed, needed: Iterable[str], excused: Iterable[str], user: str) -> Iterator[Finding]:
    """Actions that nothing calls, which a thief of the role's credentials could."""
    used = {*needed}
    used |= excuses.implied(used)
    patterns = [*excused]
    for action in sorted(may.actions):
        called = any(covers(action, one) for one in used) or any(
            covers(one, action) or covers(action, one) for one in patterns
        )
        if not called and not excuses.of_the_service(action):
            yield role.finding(
                f"{UNUSED}[{action}]",
                Severity.WARNING,
                f"the role allows {action}, which {user} never calls",
                reason="a permission that nobody needs is one that somebody can misuse",
                way_out=f"take {action} out of the role's policies",
                tools=(TOOL,),
            )
