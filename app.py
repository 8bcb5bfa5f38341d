"""The platform, one environment at a time: ``cdk synth -c environment=prod``."""

import sys

from aws_cdk import App

from mlplatform_cdk.core import ConfigurationError
from stacks.environments import UnknownEnvironmentError, chosen
from stacks.stage import PlatformStage


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
