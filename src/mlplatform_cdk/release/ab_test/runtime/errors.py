"""Why a test does not begin, or does not go on."""

from mlplatform_cdk.runtimekit.errors import KnownError


class TestRefused(KnownError):
    """A test that must not begin: nothing was touched."""

    __test__ = False  # pytest reads its name


class TestFailed(KnownError):
    """A test that cannot go on: its traffic goes back."""

    __test__ = False  # pytest reads its name
