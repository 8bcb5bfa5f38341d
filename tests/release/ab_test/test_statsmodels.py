"""Do we and statsmodels compute the same, where both do: variances, single looks, and the samples that these take?"""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import power_proportions_2indep, proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from mlplatform_cdk.release.ab_test.runtime import strata
from mlplatform_cdk.release.ab_test.runtime.samples import sample_of
from mlplatform_cdk.release.ab_test.runtime.sequential import p_value
from mlplatform_cdk.runtimekit.ab_test.plan import MEAN, Metric
from tests.release.ab_test.streams import CONVERTED, hits, samples


def test_the_variance_of_a_difference_of_means_is_theirs() -> None:
    source = np.random.default_rng(30)
    control, challenger = source.exponential(5, 4000), source.normal(5.2, 1.3, 3000)
    metric = Metric(name="m", kind=MEAN, effect=0.1)

    ((ours,),) = samples(control[np.newaxis], np.array([4000]), metric)
    ((other,),) = samples(challenger[np.newaxis], np.array([3000]), metric)
    theirs = CompareMeans(DescrStatsW(challenger), DescrStatsW(control))

    assert math.sqrt(ours.error_squared + other.error_squared) == pytest.approx(theirs.std_meandiff_separatevar)
    estimate, error_squared = strata.estimate([(ours, other)])
    low, high = theirs.zconfint_diff(usevar="unequal")
    assert (low + high) / 2 == pytest.approx(estimate)
    assert (high - low) / 2 == pytest.approx(stats.norm.isf(0.025) * math.sqrt(error_squared))


@pytest.mark.parametrize("won", [500, 540, 560, 620])
def test_looking_always_takes_more_than_their_test_of_one_look(won: int) -> None:
    control, challenger = (sample_of(CONVERTED, hits(5000, one)) for one in (500, won))
    estimate, error_squared = challenger.mean - control.mean, control.error_squared + challenger.error_squared

    z, theirs = proportions_ztest([won, 500], [5000, 5000])

    assert estimate / math.sqrt(error_squared) == pytest.approx(z, rel=5e-3, abs=1e-12)
    assert p_value(estimate, error_squared, CONVERTED.effect) >= theirs


@pytest.mark.parametrize(("base", "effect", "count"), [(0.02, 0.004, 21_106), (0.1, 0.02, 3838), (0.3, 0.03, 3760)])
def test_the_samples_of_one_look_in_the_docs_have_the_power_by_their_count(
    base: float, effect: float, count: int
) -> None:
    found = power_proportions_2indep(effect, base, count, alpha=0.05)

    assert found.power == pytest.approx(0.8, abs=1e-3)
