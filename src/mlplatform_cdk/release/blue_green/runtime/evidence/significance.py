"""Is green worse, or was it bad luck? Tests that stay true however often one looks. Pure.

A release looks every few seconds at counts that grow, and goes back at the first look that proves a fault. A test for
one look (Fisher's, the binomial) would find a fault in a good version sooner or later. These are likelihood ratios
of alternatives against the bound, averaged over a fixed set of alternatives (the method of mixtures, Robbins 1970). By
Ville's inequality (1939) such an average passes 1/a, at any look there ever is, with a probability of at most a as long
as the bound holds. The comparison of two variants is that of Lindon and Malek, "Anytime-Valid Inference for
Multinomial Count Data" (NeurIPS 2022, arXiv:2011.03567), who made it for canary releases: given that a request failed,
the chance that it was green's depends on the share of the traffic and on the ratio of the two error rates alone, so
that error rates which change over the day, as both variants' do together, change nothing.

What they take for granted: requests fail one by one. Where they fail in bursts, a burst counts as so many proofs.
"""

import math
from collections.abc import Iterable, Sequence

# How much worse than the bound a fault may be, as a factor on the odds: from hardly to hopeless.
_FACTORS = (1.5, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0)
_HIGHEST = 700.0  # the largest power of e that a float holds, nearly


def above(count: int, total: int, bound: float) -> float:
    """How strongly ``count`` of ``total`` speaks for a share above ``bound``: 1 says nothing, 1,000 is a proof.

    :param count: events, such as failed requests.
    :param total: requests.
    :param bound: the share that is allowed, from 0, which one event breaks, to 1, which none can.
    """
    if not 0 < bound < 1:
        return math.exp(_HIGHEST) if count and bound <= 0 else 1.0
    odds = bound / (1 - bound)
    ratios = []
    for factor in _FACTORS:
        share = odds * factor / (1 + odds * factor)
        ratios.append(count * math.log(share / bound) + (total - count) * math.log((1 - share) / (1 - bound)))
    return _mean(ratios)


def worse(strata: Iterable[tuple[int, int, int, int]], ratio: float) -> float:
    """How strongly the counts speak for a share of green's above ``ratio`` times blue's.

    :param strata: (green's events, green's requests, blue's events, blue's requests) of each period, within which the
        traffic was shared alike.
    :param ratio: how many times blue's share green's may be.
    """
    ratios = [0.0 for _ in _FACTORS]
    for green, green_requests, blue, blue_requests in strata:
        if not green_requests or not blue_requests or not green + blue:
            continue
        allowed = ratio * green_requests / (ratio * green_requests + blue_requests)
        for place, factor in enumerate(_FACTORS):
            weight = ratio * factor * green_requests
            share = weight / (weight + blue_requests)
            ratios[place] += green * math.log(share / allowed) + blue * math.log((1 - share) / (1 - allowed))
    return _mean(ratios)


def _mean(logarithms: Sequence[float]) -> float:
    highest = max(logarithms)
    if highest > _HIGHEST:
        return math.exp(_HIGHEST)
    return math.fsum(math.exp(one) for one in logarithms) / len(logarithms)
