"""The commands of the build; what differs between two builds comes as variables of the start."""

from typing import Any

# Provenance and bills of materials as attestations would make the image an index, which SageMaker does not pull. Nor
# does CreateModel take OCI's media types, which Docker's containerd store, the default since 29, writes unless told
# otherwise: https://github.com/aws/amazon-sagemaker-feedback/issues/180. With Docker's own builder `type=image` loads
# the image into either store, as --load does; the older store has Docker's types alone and ignores the parameter.
_BUILD = (
    'docker buildx build --provenance=false --sbom=false --platform "$PLATFORM" --file "context/$DOCKERFILE" '
    '--build-arg "RUN_AS=$RUN_AS" ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} '
    '${REQUIREMENTS:+--build-arg "REQUIREMENTS=$REQUIREMENTS"} '
    '--tag "$REPOSITORY:$TAG" --output type=image,oci-mediatypes=false context'
)
_FIND = 'aws ecr describe-images --repository-name "${REPOSITORY#*/}" --image-ids "imageTag=$TAG"'
_FORMAT = "application/vnd.docker.distribution.manifest.v2+json"
# One command in a shell of its own: in CodeBuild, an `exit` among several ends none but itself. A tag that is there
# cannot be pushed again; its format is looked at all the same, since an image that is refused stays.
_SCRIPT = f"""(
set -euo pipefail
if {_FIND} > /dev/null 2>&1; then
  echo "$TAG is there already"
else
  aws s3 cp --no-progress "s3://$CONTEXT" context.zip
  unzip -q context.zip -d context
  aws ecr get-login-password | docker login --username AWS --password-stdin "${{REPOSITORY%%/*}}"
  {_BUILD}
  docker push --quiet "$REPOSITORY:$TAG"
fi
format=$({_FIND} --query 'imageDetails[0].imageManifestMediaType' --output text)
if [ "$format" != {_FORMAT} ]; then
  echo "the manifest must be {_FORMAT}, which SageMaker takes, got $format" >&2
  exit 1
fi
)"""


def build_spec() -> dict[str, Any]:
    """CodeBuild's build specification; an image whose tag is there already is not built again."""
    return {"version": "0.2", "env": {"shell": "bash"}, "phases": {"build": {"commands": [_SCRIPT]}}}
