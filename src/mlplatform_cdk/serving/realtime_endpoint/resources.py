"""The models and the configuration of a template-owned endpoint; CloudFormation names them, and replaces them whole."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from mlplatform_cdk.core import PlatformImage
from mlplatform_cdk.foundation import JobNetwork
from mlplatform_cdk.serving.capture import DataCapture
from mlplatform_cdk.serving.model_container import start_seconds
from mlplatform_cdk.serving.realtime_endpoint.variant import EndpointModel, EndpointVariant


def model_of(
    scope: Construct,
    id: str,
    *,
    model: EndpointModel,
    image: PlatformImage,
    role: iam.IRole,
    artifacts: s3.IBucket,
    network: JobNetwork | None,
    network_isolation: bool,
) -> sagemaker.CfnModel:
    """A SageMaker model.

    :param model: what it is.
    :param image: what serves it, unless it comes from a package.
    :param role: who it runs as.
    :param artifacts: where its archive lies.
    :param network: where its network interfaces are; None: in no VPC of the account.
    :param network_isolation: whether its container reaches no network at all.
    """
    packaged = model.package_arn is not None
    container = sagemaker.CfnModel.ContainerDefinitionProperty(
        environment=dict(model.environment) or None,
        model_package_name=model.package_arn,
        image=None if packaged else image.image_uri,
        model_data_url=None if packaged else artifacts.s3_url_for_object(model.archive),
    )
    vpc = (
        sagemaker.CfnModel.VpcConfigProperty(
            subnets=[*network.subnet_ids], security_group_ids=[*network.security_group_ids]
        )
        if network
        else None
    )
    return sagemaker.CfnModel(
        scope,
        id,
        execution_role_arn=role.role_arn,
        enable_network_isolation=network_isolation,
        primary_container=container,
        vpc_config=vpc,
    )


def configuration_of(
    scope: Construct,
    *,
    variants: Sequence[EndpointVariant],
    models: Mapping[str, sagemaker.CfnModel],
    inference_amis: Mapping[str, str | None],
    volume_key: kms.IKey | None,
    capture: DataCapture | None,
    capture_uri: str,
    capture_key: kms.IKey,
    detailed_observability: bool,
) -> sagemaker.CfnEndpointConfig:
    """The endpoint configuration ``Configuration``.

    :param variants: the fleets.
    :param models: their models, by variant.
    :param inference_amis: what their instances start from, by variant; None: SageMaker chooses.
    :param volume_key: encrypts the volumes; None where the disks encrypt themselves.
    :param capture: which requests are kept; None: none.
    :param capture_uri: where.
    :param capture_key: encrypts what is kept.
    :param detailed_observability: whether SageMaker's collector publishes metrics; said either way, since on is its own
        default.
    """
    resource = sagemaker.CfnEndpointConfig(
        scope,
        "Configuration",
        production_variants=[
            sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                variant_name=one.name,
                model_name=models[one.name].attr_model_name,
                instance_type=one.instance_type,
                inference_ami_version=inference_amis[one.name],
                container_startup_health_check_timeout_in_seconds=start_seconds("startup_timeout", one.startup_timeout),
                model_data_download_timeout_in_seconds=start_seconds("download_timeout", one.download_timeout),
                initial_instance_count=one.scaling.minimum,
                initial_variant_weight=one.weight,
            )
            for one in variants
        ],
        kms_key_id=volume_key.key_arn if volume_key else None,
        metrics_config=sagemaker.CfnEndpointConfig.MetricsConfigProperty(
            enable_detailed_observability=detailed_observability
        ),
    )
    if capture is not None:
        resource.add_property_override("DataCaptureConfig", _capture(capture, capture_uri, capture_key))
    return resource


def _capture(capture: DataCapture, uri: str, key: kms.IKey) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percentage,
        "DestinationS3Uri": uri,
        "KmsKeyId": key.key_arn,
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"], "CsvContentTypes": ["text/csv"]},
    }
