"""Do the variants get the keys that their shares say? If not, something loses some of them, and no comparison holds.

The sequential test of Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data" (NeurIPS 2022): the ratio
of a Dirichlet-multinomial likelihood, centred on the shares, to the multinomial one. Where shares move, each time has a
ratio of its own, with the shares of that time and the prior that the times before have left; each is at most 1 on
average given the past, and so is their product. While shares stay, that is the same as one time. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_CONCENTRATION = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Keys that came under the same shares.

    :param counts: by variant.
    :param shares: by which they were given their variant; 0: it is out.
    """

    counts: Sequence[int]
    shares: Sequence[float]


def mismatch_p_value(times: Sequence[Given]) -> float:
    """How unlikely the counts are under the shares of their times: valid at every look.

    :param times: from the test's begin on, in their order.
    """
    log_ratio, counted, expected = 0.0, [0.0] * len(times[0].counts), [0.0] * len(times[0].counts)
    for time in times:
        inside = [index for index, share in enumerate(time.shares) if share > 0]
        counts = [time.counts[index] for index in inside]
        total = sum(counts)
        if len(inside) == 1 or not total:
            continue
        whole = sum(time.shares[index] for index in inside)
        shares = [time.shares[index] / whole for index in inside]
        prior = _prior(shares, [counted[one] for one in inside], [expected[one] for one in inside])
        log_ratio += _log_marginal(counts, prior) - _log_likelihood(counts, shares)
        for index, count, share in zip(inside, counts, shares, strict=True):
            counted[index] += count
            expected[index] += total * share
    return math.exp(-max(0.0, log_ratio))


def wanted(times: Sequence[Given]) -> list[float]:
    """How many keys each variant should have, of those that came while it was in."""
    sums = [0.0] * len(times[0].counts)
    for time in times:
        total = sum(count for count, share in zip(time.counts, time.shares, strict=True) if share > 0)
        whole = sum(time.shares)
        sums = [one + total * share / whole for one, share in zip(sums, time.shares, strict=True)]
    return sums


def _prior(shares: Sequence[float], counted: Sequence[float], expected: Sequence[float]) -> list[float]:
    """Centred on the shares, as far as those before were kept: of what is lost, as much is lost in the next time."""
    kept = [
        share * (_CONCENTRATION * share + count) / (_CONCENTRATION * share + wanted_)
        for share, count, wanted_ in zip(shares, counted, expected, strict=True)
    ]
    concentration = _CONCENTRATION + sum(counted)
    return [concentration * one / sum(kept) for one in kept]


def _log_marginal(counts: Sequence[int], prior: Sequence[float]) -> float:
    found = math.lgamma(sum(prior)) - math.lgamma(sum(prior) + sum(counts))
    return found + sum(math.lgamma(one + n) - math.lgamma(one) for one, n in zip(prior, counts, strict=True))


def _log_likelihood(counts: Sequence[int], shares: Sequence[float]) -> float:
    return sum(count * math.log(share) for count, share in zip(counts, shares, strict=True))
