"""Is anything lost while models come and go and containers end? Seconds of what ``benchmarks.serving.soak`` does."""

from pathlib import Path

from benchmarks.serving.soak import Soak


def test_nothing_accepted_is_lost_while_models_and_containers_come_and_go(tmp_path: Path) -> None:
    outcome = Soak(tmp_path, seconds=4.0, turn_s=0.5).run()

    # Seconds say nothing of memory: the arenas of the first requests are still filling.
    assert outcome.problems(growth_mb=50) == []
    assert outcome.ends["SIGTERM"] >= 1
    assert outcome.ends["SIGKILL"] >= 1
    assert outcome.loads >= 5
    assert outcome.answers[200] >= 100
