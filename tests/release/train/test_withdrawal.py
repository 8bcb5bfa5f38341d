"""Does a version that is taken back at home go any further by train?"""

from typing import Any

import pytest

from mlplatform_cdk.release.train.runtime import core, steps

ARN = "arn:aws:sagemaker:eu-west-1:111111111111:model-package/churn/4"
ARRIVED = core.Run(station="staging", ok=True, changed=True, package_arn=ARN, release="execution:one")
TRAIN = {
    "name": "train",
    "waves": [{"name": name, "stations": [name], "approval_s": 0} for name in ("staging", "europe")],
    "roll_back": True,
    "calendar": None,
}


class Registry:
    """SageMaker, as far as a train asks it while it decides."""

    def __init__(self, status: str) -> None:
        self.status = status

    def client(self, _service: str) -> "Registry":
        return self

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        assert ModelPackageName == ARN
        return {"ModelApprovalStatus": self.status}


def decided(monkeypatch: pytest.MonkeyPatch, status: str, progress: core.Progress) -> dict[str, Any]:
    monkeypatch.setattr(steps, "aws", Registry(status))
    monkeypatch.setattr(steps, "_record", lambda *_, **__: None)
    stations = [{"name": wave["name"]} for wave in TRAIN["waves"]]  # type: ignore[attr-defined]
    told = {"train": TRAIN, "stations": stations, "package_arn": ARN, "news": {"kind": "none"}}
    return steps.advance({**told, "progress": progress.to_mapping()})


@pytest.mark.parametrize(
    ("status", "way"), [("Approved", "depart"), ("Rejected", "return"), ("PendingManualApproval", "return")]
)
def test_a_version_that_lost_its_approval_on_the_way_departs_to_no_other_wave(
    monkeypatch: pytest.MonkeyPatch, status: str, way: str
) -> None:
    answer = decided(monkeypatch, status, core.Progress(wave=1, runs=(ARRIVED,)))

    assert answer["way"] == way
    if way == "return":
        assert answer["sentence"] == (
            f"wave europe may not depart: churn version 4 must be Approved to go by train, got {status}; "
            "going back: staging"
        )


def test_a_train_that_has_arrived_has_nothing_to_do_with_what_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decided(monkeypatch, "Rejected", core.Progress(wave=2, runs=(ARRIVED,)))["way"] == "arrived"
