"""What green must stand besides its golden requests: many of them at once, and what production was really asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import evidence
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed
from mlplatform_cdk.release.blue_green.runtime.golden import most_ms
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.runtimekit.release_strategy import Strategy

_ONE = 1  # a single failure of many may be the network's


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof found.

    :param said: in a sentence.
    :param metrics: as JSON takes them.
    """

    said: str
    metrics: Mapping[str, Any]


def prove(
    endpoint: str, plan: Mapping[str, Any], manifest: Manifest, *, strategy: Strategy, capture_uri: str
) -> list[Proof]:
    """The load and the replay that the strategy asks for.

    :param endpoint: the endpoint's name.
    :param plan: of the release: who is green, who is blue.
    :param manifest: green's.
    :param strategy: how many requests of each.
    :param capture_uri: where production is captured; empty: nowhere.
    :raises ReleaseFailed: naming what green did not stand.
    """
    green, blue = plan["green"]["variant"], plan["blue"]
    proofs: list[Proof] = []
    if strategy.warm_up_requests:
        questions = [evidence.Question(body=json.dumps(one.body()).encode()) for one in manifest.golden_requests]
        load = evidence.warm_up(endpoint, green, questions, requests=strategy.warm_up_requests)
        proofs.append(stood(load, rules_share=strategy.rules.most_errors, budget_ms=manifest.latency_budget_ms))
    if strategy.replay_requests and blue["exists"] and capture_uri:
        asked = evidence.captured_questions(
            capture_uri, endpoint, blue["variant"], most=strategy.replay_requests, now=datetime.now(UTC)
        )
        proofs.append(answered(evidence.replay(endpoint, blue["variant"], green, asked)))
    return proofs


def stood(load: evidence.Load, *, rules_share: float, budget_ms: float) -> Proof:
    """What a load proves. Pure.

    :param load: golden requests, several at a time.
    :param rules_share: the share of them that may fail; a single one always may.
    :param budget_ms: of the model; a load from here pays for the way and for the queue, so that only a latency out of
        all proportion counts, as with a single golden request.
    :raises ReleaseFailed: when green did not stand it.
    """
    if load.failed > max(_ONE, rules_share * load.requests):
        because = "; ".join(load.problems)
        raise ReleaseFailed(f"green must stand a load, and failed {load.failed} of {load.requests} requests: {because}")
    half, limit = load.latency_p50_ms or 0.0, most_ms(budget_ms)
    if half > limit:
        message = f"under load half of the answers must take less than {limit:.0f} ms, got {half:.0f} ms"
        raise ReleaseFailed(message)
    said = f"{load.requests} more under load, half of them in {half:.1f} ms or less"
    return Proof(said, {"load": load.to_mapping()})


def answered(found: evidence.Replay) -> Proof:
    """What a replay proves. Pure.

    :raises ReleaseFailed: when callers would have lost answers.
    """
    if found.problems:
        raise ReleaseFailed("; ".join(found.problems))
    same = [one.same for one in found.outputs.values()]
    said = f"{found.requests} captured requests of production"
    if same:
        said += f", on {min(same):.0%} of which it agrees with blue"
    return Proof("; ".join([said, *found.shifts]), {"replay": found.to_mapping()})
