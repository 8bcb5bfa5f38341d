"""Do the variants get the keys that their shares say? If not, something loses some of them, and no comparison holds.

The sequential test of Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data" (NeurIPS 2022): the ratio
of a Dirichlet-multinomial likelihood, centred on the shares, to the multinomial one. Pure.
"""

import math
from collections.abc import Sequence

_CONCENTRATION = 1000.0


def mismatch_p_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """How unlikely these counts are under these shares: valid at every look.

    :param counts: of keys, by variant.
    :param shares: of the same variants, none 0; they add up to 1.
    """
    total = sum(counts)
    log_ratio = math.lgamma(_CONCENTRATION) - math.lgamma(_CONCENTRATION + total)
    for count, share in zip(counts, shares, strict=True):
        prior = _CONCENTRATION * share
        log_ratio += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)
    return math.exp(-max(0.0, log_ratio))
