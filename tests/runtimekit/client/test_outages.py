"""Does a call fail when one of two regions does, in whichever way?"""

import pytest

from mlplatform_cdk.runtimekit.client import CallFailed, Hedging
from tests.runtimekit.client.virtual import CUT, DEAD, SILENT, Behaviour, always, between, client, reply, well, world

WELL = well(0.05)


def sometimes(part: float, then: Behaviour) -> Behaviour:
    return lambda now, chance: then(now, chance) if chance < part else WELL(now, chance)


FAULTS = {
    "dead": DEAD,
    "hanging": SILENT,
    "cutting": always(CUT, 0.02),
    "throttling": always(reply(429, retry_after="5"), 0.01),
    "failing": always(reply(500), 0.05),
    "grey, a tenth": sometimes(0.1, always(reply(500), 0.05)),
    "grey, a third": sometimes(0.3, always(reply(503), 0.05)),
    "grey, a half hangs": sometimes(0.5, SILENT),
    "without its endpoint": always(
        reply(400, b'{"message": "Endpoint churn of account 777788889999 not found."}'), 0.02
    ),
    "throttling as SageMaker does": always(reply(400, b'{"message":null}'), 0.01),
    "without its stack": always(reply(403, b'{"message": "Forbidden"}'), 0.01),
    "flapping": lambda now, chance: (DEAD if int(now) % 4 < 2 else WELL)(now, chance),
    "slow": well(3.0),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("hedging", [None, Hedging()], ids=["plain", "hedged"])
def test_no_call_fails_and_few_are_asked_twice(fault: str, hedging: Hedging | None) -> None:
    wire = world(a=between(10, 70, FAULTS[fault], WELL), b=well(0.08))
    one = client(wire, prefer=["a"], hedging=hedging)
    made = failed = 0

    while wire.time < 200:
        made += 1
        try:
            one.invoke(b"")
        except CallFailed:
            failed += 1
        wire.time += 0.1

    assert failed == 0
    assert len(wire.sent) < made * 1.05 + 30
    assert wire.asked(190).count("a") == len(wire.asked(190))
