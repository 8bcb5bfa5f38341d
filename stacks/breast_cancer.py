"""The model that the platform ships with: is a tumour malignant, by a biopsy's image? scikit-learn holds the data."""

from mlplatform_cdk.data import Dataset
from mlplatform_cdk.registry import ApprovalRule
from mlplatform_cdk.training import EvaluationRule
from stacks.environments import PlatformEnvironment

NAME = "breast-cancer"
DATASET = Dataset(prefix=f"raw/{NAME}/", label_column="diagnosis")
# A model learned anew from the same data may differ in the last digits; worse than that it must not be.
EVALUATION = EvaluationRule(minimum={"roc_auc": 0.9}, tolerance=0.005)
APPROVAL = ApprovalRule(metric="roc_auc", at_least=0.95)


def group_name(environment: PlatformEnvironment) -> str:
    """The group of its versions, apart where environments share an account."""
    return f"{environment.name}-{NAME}"


def endpoint_name(environment: PlatformEnvironment) -> str:
    """The endpoint that answers, apart where environments share an account."""
    return f"{environment.name}-{NAME}"
