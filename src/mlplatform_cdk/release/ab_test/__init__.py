"""Which of several versions is better, by what happens to those who use them."""

from mlplatform_cdk.release.ab_test.construct import ABTest
from mlplatform_cdk.release.ab_test.router.construct import ABRouter

__all__ = ["ABRouter", "ABTest"]
