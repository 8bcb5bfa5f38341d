"""The platform, one environment at a time: ``cdk synth -c environment=prod``."""

import gc
import sys

# What CDK loads and makes lives until the synthesis ends: to look through it for garbage is a twentieth of the time.
gc.disable()

from aws_cdk import App  # noqa: E402

from mlplatform_cdk.core import ConfigurationError  # noqa: E402
from stacks.environments import UnknownEnvironmentError, chosen  # noqa: E402
from stacks.stage import PlatformStage  # noqa: E402


def main() -> None:
    """Build the platform for the environment that the context names."""
    app = App()
    try:
        environment = chosen(app.node)
        PlatformStage(app, f"MlPlatform-{environment.name.capitalize()}", environment=environment)
    except (ConfigurationError, UnknownEnvironmentError) as mistake:
        sys.exit(str(mistake))
    app.synth()


if __name__ == "__main__":
    main()
