"""Print the JSON schema of the manifest: ``python -m mlplatform_cdk.runtimekit.manifest``."""

import json
import sys

from mlplatform_cdk.runtimekit.manifest import json_schema

sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
