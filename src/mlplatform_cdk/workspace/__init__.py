"""Where people work: the Studio domain, its users and their spaces."""

from mlplatform_cdk.workspace.people import Space, UserProfile
from mlplatform_cdk.workspace.studio_domain import StudioDomain

__all__ = ["Space", "StudioDomain", "UserProfile"]
