"""What happens at one station: the version comes and is released, or goes back. A failure there is an answer here."""

from typing import Any

from mlplatform_cdk.core.states import State
from mlplatform_cdk.release.train.tasks import Tasks, result

_STATION = "$.station.name"
_LOOK = ("ended", "ok", "reason", "looks")


def outward(tasks: Tasks, *, look_every_s: int, most_looks: int) -> dict[str, Any]:
    """The branch of a wave: promote, release, watch."""
    promote = tasks.step(
        "Promote",
        "promote",
        {"station.$": "$.station", "package_arn.$": "$.package_arn"},
        answers=("package_arn", "live"),
        into="$.promoted",
        failed="NotPromoted",
    )
    depart = tasks.step(
        "Depart",
        "depart",
        {"station.$": "$.station", "package_arn.$": "$.promoted.package_arn", "who.$": "$.who"},
        answers=("release",),
        into="$.released",
        failed="NotReleased",
    )
    there = {"station": _STATION, "package_arn": "$.promoted.package_arn"}
    return {
        "StartAt": "Promote",
        "States": {
            "Promote": promote | {"Next": "IsItLive"},
            "IsItLive": _choice("$.promoted.live", "LiveAlready", "Depart"),
            "LiveAlready": result(**there, ok=True, changed=False, reason="it serves there already"),
            "Depart": depart | {"Next": "BeginToLook"},
            "BeginToLook": {"Type": "Pass", "Result": {"looks": 0}, "ResultPath": "$.look", "Next": "WaitForRelease"},
            **_watched(tasks, "Release", "NotReleased", look_every_s=look_every_s, most_looks=most_looks),
            # Changed even where it failed: a release that fails in its finishing leaves green in place, and a version
            # without traffic has nothing to go back from.
            "ReleaseEnded": result(
                **there, release="$.released.release", ok="$.look.ok", changed=True, reason="$.look.reason"
            ),
            "NotPromoted": result(station=_STATION, ok=False, changed=False, failure="$.failure"),
            # Something may have begun there: whoever goes back asks for this station, too.
            "NotReleased": result(**there, ok=False, changed=True, failure="$.failure"),
        },
    }


def homeward(tasks: Tasks, *, look_every_s: int, most_looks: int) -> dict[str, Any]:
    """The branch of a way back: ask for it, watch."""
    send = tasks.step(
        "SendBack",
        "send_back",
        {"station.$": "$.station", "package_arn.$": "$.package_arn", "reason.$": "$.reason"},
        answers=("release",),
        into="$.released",
        failed="NotReturned",
    )
    return {
        "StartAt": "SendBack",
        "States": {
            "SendBack": send | {"Next": "BeginToLookBack"},
            "BeginToLookBack": {
                "Type": "Pass",
                "Result": {"looks": 0},
                "ResultPath": "$.look",
                "Next": "WaitForReturn",
            },
            **_watched(tasks, "Return", "NotReturned", look_every_s=look_every_s, most_looks=most_looks),
            "ReturnEnded": result(
                station=_STATION,
                package_arn="$.package_arn",
                release="$.released.release",
                ok="$.look.ok",
                changed=True,
                reason="$.look.reason",
            ),
            "NotReturned": result(
                station=_STATION, package_arn="$.package_arn", ok=False, changed=True, failure="$.failure"
            ),
        },
    }


def _watched(tasks: Tasks, what: str, failed: str, *, look_every_s: int, most_looks: int) -> dict[str, State]:
    """Wait, look, and wait again until it has ended."""
    wait, look = f"WaitFor{what}", f"LookAt{what}"
    seen = tasks.step(
        look,
        "look",
        {
            "station.$": "$.station",
            "release.$": "$.released.release",
            "looks.$": "$.look.looks",
            "most_looks": most_looks,
        },
        answers=_LOOK,
        into="$.look",
        failed=failed,
    )
    return {
        wait: {"Type": "Wait", "Seconds": look_every_s, "Next": look},
        look: seen | {"Next": f"Has{what}Ended"},
        f"Has{what}Ended": _choice("$.look.ended", f"{what}Ended", wait),
    }


def _choice(path: str, then: str, otherwise: str) -> State:
    return {
        "Type": "Choice",
        "Choices": [{"Variable": path, "BooleanEquals": True, "Next": then}],
        "Default": otherwise,
    }
