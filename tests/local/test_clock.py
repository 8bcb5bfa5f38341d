"""How long does a wait take here?"""

from pathlib import Path

import pytest

from mlplatform_cdk.local import clock, settings
from mlplatform_cdk.local.settings import Settings

DAY_S = 86400.0


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_current", None)


def test_a_wait_takes_the_factor_s_part_of_its_time_and_never_more_than_the_limit(tmp_path: Path) -> None:
    settings.use(Settings(state_dir=tmp_path, clock_factor=0.01, longest_wait_s=2))

    assert [clock.real_seconds(each) for each in (10, 100, DAY_S)] == [0.1, 1.0, 2.0]


def test_without_a_limit_a_day_is_as_long_as_the_factor_says(tmp_path: Path) -> None:
    settings.use(Settings(state_dir=tmp_path, clock_factor=0.01))

    assert clock.real_seconds(DAY_S) == 864.0


def test_people_have_a_limit_of_their_own(tmp_path: Path) -> None:
    settings.use(Settings(state_dir=tmp_path, clock_factor=0.01, longest_wait_s=2, longest_answer_s=5))
    assert clock.real_answer_seconds(DAY_S) == 5

    settings.use(Settings(state_dir=tmp_path, clock_factor=0.01, longest_wait_s=2))
    assert clock.real_answer_seconds(DAY_S) == 2


@pytest.mark.parametrize("name", ["longest_wait_s", "longest_answer_s"])
def test_a_limit_of_nothing_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be above 0 seconds, got 0"):
        Settings(state_dir=tmp_path, **{name: 0})  # type: ignore[arg-type]


def test_settings_reach_another_process_whole(tmp_path: Path) -> None:
    mine = Settings(state_dir=tmp_path, clock_factor=0.5, longest_wait_s=2, longest_answer_s=5)

    assert Settings.from_json(mine.to_json()) == mine
