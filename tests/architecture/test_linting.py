"""Does a template's lint hang on those that were linted before it?"""

import json
from pathlib import Path

from tests.linting import findings


def test_a_fault_is_found_each_time_and_in_its_template_alone(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "a"}}
    good.write_text(json.dumps({"Resources": {"Topic": topic}}))
    bad.write_text(json.dumps({"Resources": {"Topic": {**topic, "Properties": {"TopicNam": "a"}}}}))

    first, second = ([findings(one) for one in (bad, good)] for _ in range(2))

    assert first == second
    assert ("TopicNam" in first[0][0], first[1]) == (True, [])
