"""Code of ours and a folder of the user's in one asset: copied beside each other while the app is being built.

CDK calls this bundling, and would otherwise run it in Docker.
"""

import shutil
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

HOOK = "hook"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")


@jsii.implements(ILocalBundling)
class _Beside:
    """Copies packages and the hook to where CDK wants them."""

    def __init__(self, packages: tuple[str, ...], source: Path, hook: Path) -> None:
        self._packages, self._source, self._hook = packages, source, hook

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        """Fill ``output_dir``; there is always a way without Docker."""
        target = Path(output_dir)
        top = {package.partition(".")[0] for package in self._packages}
        for package in self._packages:
            place = package.replace(".", "/")
            shutil.copytree(self._source / place, target / place, ignore=_LEFT_OUT)
        for name in top:  # see `_keep_only` in assets.py
            shutil.copyfile(self._source / name / "__init__.py", target / name / "__init__.py")
        shutil.copytree(self._hook, target / HOOK, ignore=_LEFT_OUT)
        return True


def hooked_code(*packages: str, source: Path, hook: Path) -> lambda_.Code:
    """Lambda code of ``packages`` below ``source``, and of ``hook`` under that name.

    Its hash is that of what is in it, so that it is the same from a checkout and from an installed wheel.
    """
    bundling = BundlingOptions(
        image=DockerImage.from_registry("unused"),  # what CDK insists on, and never pulls
        local=_Beside(packages, source, hook),
    )
    return lambda_.Code.from_asset(str(hook), asset_hash_type=AssetHashType.OUTPUT, bundling=bundling)
