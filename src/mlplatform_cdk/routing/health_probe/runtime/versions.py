"""Which versions an endpoint serves, and what they must answer."""

import hashlib
from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.routing.health_probe.runtime.judging import Served, Serving
from mlplatform_cdk.runtimekit import aws, s3
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.runtimekit.model_package import PackageFacts

# Which version a model is made of, in its container's environment; a release writes it there.
_PACKAGE = "MODEL_PACKAGE_ARN"
_SHOWN = 12
# A look that hangs keeps the next from beginning; rounds do not wait for it.
_PATIENCE_S, _ATTEMPTS = 5, 2


class NothingServed(KnownError):
    """An endpoint of which nobody can say what it must answer."""


class Versions:
    """Looks at an endpoint, and remembers what cannot change: a configuration, a package, a manifest.

    :param endpoint: its name.
    :param manifest_uri: the manifest of all its models, where no registry has them; empty: the registry has.
    """

    def __init__(self, endpoint: str, manifest_uri: str = "") -> None:
        self._endpoint, self._manifest_uri = endpoint, manifest_uri
        self._served: dict[str, Served] = {}
        self._packages: dict[str, str] = {}

    def look(self) -> tuple[str, Serving]:
        """The endpoint's configuration, and what it serves now.

        :raises NothingServed: when there is nothing that could be asked.
        """
        endpoint = self._endpoint_now()
        configuration = endpoint.get("EndpointConfigName", "")
        weights = {one["VariantName"]: one.get("CurrentWeight", 0.0) for one in endpoint.get("ProductionVariants", [])}
        if not weights:
            raise NothingServed(
                f"the endpoint {self._endpoint} must have a variant, and is {endpoint['EndpointStatus']}"
            )
        models = self._models(configuration)
        variants = {name: self._of_model(models.get(name, "")) for name in weights}
        return configuration, Serving(variants=variants, main=max(weights, key=lambda name: weights[name]))

    def _endpoint_now(self) -> Mapping[str, Any]:
        sagemaker = _sagemaker()
        try:
            found: Mapping[str, Any] = sagemaker.describe_endpoint(EndpointName=self._endpoint)
        except sagemaker.exceptions.ClientError as error:
            if not aws.is_absent(error):
                raise
            raise NothingServed(f"the endpoint {self._endpoint} must exist, and does not") from None
        return found

    def _models(self, configuration: str) -> Mapping[str, str]:
        if self._manifest_uri:
            return {}
        found = _sagemaker().describe_endpoint_config(EndpointConfigName=configuration)
        return {one["VariantName"]: one.get("ModelName", "") for one in found["ProductionVariants"]}

    def _of_model(self, model: str) -> Served:
        if model not in self._served:
            self._served[model] = self._from_manifest() if self._manifest_uri else self._from_registry(model)
        return self._served[model]

    def _from_manifest(self) -> Served:
        content = s3.read_bytes(self._manifest_uri)
        manifest = Manifest.from_json(content)
        version = hashlib.sha256(content).hexdigest()[:_SHOWN]
        return Served(version=version, label=f"{manifest.model_name} of {manifest.run_id}", manifest=manifest)

    def _from_registry(self, model: str) -> Served:
        sagemaker = _sagemaker()
        described: Mapping[str, Any] = sagemaker.describe_model(ModelName=model)
        arn = described.get("PrimaryContainer", {}).get("Environment", {}).get(_PACKAGE, "")
        if not arn:
            raise NothingServed(f"the model {model} must name its version in {_PACKAGE}; give the probe a manifest_uri")
        package = sagemaker.describe_model_package(ModelPackageName=arn)
        facts = PackageFacts.from_metadata(package.get("CustomerMetadataProperties", {}))
        content = s3.read_bytes(facts.manifest_uri)
        if hashlib.sha256(content).hexdigest() != facts.manifest_sha256:
            raise NothingServed(f"the manifest at {facts.manifest_uri} must be the one that was registered")
        group, number = arn.rsplit("/", 2)[-2:]
        return Served(
            version=facts.model_data_sha256[:_SHOWN],
            label=f"{group} version {number}",
            manifest=Manifest.from_json(content),
        )


def _sagemaker() -> Any:
    return aws.client("sagemaker", patience_s=_PATIENCE_S, attempts=_ATTEMPTS)
