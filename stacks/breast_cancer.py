"""The model that the platform ships with: is a tumour malignant, by a biopsy's image? scikit-learn holds the data."""

from mlplatform_cdk.registry import ApprovalRule
from stacks.environments import PlatformEnvironment

NAME = "breast-cancer"
DESCRIPTION = "Tells malignant from benign tumours by 30 measurements of a biopsy's image"
APPROVAL = ApprovalRule(metric="roc_auc", at_least=0.95)


def group_name(environment: PlatformEnvironment) -> str:
    """The group of its versions, apart where environments share an account."""
    return f"{environment.name}-{NAME}"


def endpoint_name(environment: PlatformEnvironment) -> str:
    """The endpoint that answers, apart where environments share an account."""
    return f"{environment.name}-{NAME}"
