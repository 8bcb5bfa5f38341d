"""A/B tests as those see them who take part: which variant a caller gets, and what became of a request."""

from mlplatform_cdk.runtimekit.ab_test.client import ABClient, Answer
from mlplatform_cdk.runtimekit.ab_test.outcomes import OutcomeRefused
from mlplatform_cdk.runtimekit.ab_test.plan import Guard, Metric, PlanError, TestPlan

__all__ = ["ABClient", "Answer", "Guard", "Metric", "OutcomeRefused", "PlanError", "TestPlan"]
