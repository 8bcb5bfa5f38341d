"""The commands of the build; what differs between two builds comes as variables of the start."""

from typing import Any

# Provenance and bills of materials as attestations would make the image an index, which SageMaker does not pull.
_BUILD = (
    'docker buildx build --provenance=false --sbom=false --platform "$PLATFORM" --file "context/$DOCKERFILE" '
    '--build-arg "RUN_AS=$RUN_AS" ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} '
    '${REQUIREMENTS:+--build-arg "REQUIREMENTS=$REQUIREMENTS"} '
    '--tag "$REPOSITORY:$TAG" --load context'
)
_PRESENT = 'aws ecr describe-images --repository-name "${REPOSITORY#*/}" --image-ids "imageTag=$TAG" > /dev/null 2>&1'
# One command in a shell of its own: in CodeBuild, `exit 0` among several ends none but itself, and a tag that is there
# cannot be pushed again.
_SCRIPT = f"""(
set -euo pipefail
if {_PRESENT}; then echo "$TAG is there already"; exit; fi
aws s3 cp --no-progress "s3://$CONTEXT" context.zip
unzip -q context.zip -d context
aws ecr get-login-password | docker login --username AWS --password-stdin "${{REPOSITORY%%/*}}"
{_BUILD}
docker push --quiet "$REPOSITORY:$TAG"
)"""


def build_spec() -> dict[str, Any]:
    """CodeBuild's build specification; an image whose tag is there already is not built again."""
    return {"version": "0.2", "env": {"shell": "bash"}, "phases": {"build": {"commands": [_SCRIPT]}}}
