"""One form for everything that a template can say in several ways, so that equal meanings compare equal."""

from mlplatform_cdk.assembly.diff.canonical.forms import Forms
from mlplatform_cdk.assembly.diff.canonical.resource import Resource, resources

__all__ = ["Forms", "Resource", "resources"]
