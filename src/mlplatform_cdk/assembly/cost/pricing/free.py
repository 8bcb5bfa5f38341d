"""Types that cost nothing by themselves, each with the reason; a type that is neither here nor priced is unknown."""

from __future__ import annotations

_IDENTITY = "IAM costs nothing"
_WIRING = "networks, subnets, routes and security groups cost nothing; what runs and flows in them does"
_POLICY = "a policy, permission or name costs nothing"
_DEPLOYMENT = "CDK's own helper in a deployment; its function is priced as any other"

FREE: dict[str, str] = {
    **dict.fromkeys(
        (
            "AWS::IAM::Group",
            "AWS::IAM::InstanceProfile",
            "AWS::IAM::ManagedPolicy",
            "AWS::IAM::OIDCProvider",
            "AWS::IAM::Policy",
            "AWS::IAM::Role",
            "AWS::IAM::RolePolicy",
            "AWS::IAM::ServiceLinkedRole",
            "AWS::IAM::User",
        ),
        _IDENTITY,
    ),
    **dict.fromkeys(
        (
            "AWS::EC2::EIPAssociation",
            "AWS::EC2::EgressOnlyInternetGateway",
            "AWS::EC2::InternetGateway",
            "AWS::EC2::NetworkAcl",
            "AWS::EC2::NetworkAclEntry",
            "AWS::EC2::Route",
            "AWS::EC2::RouteTable",
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::SecurityGroupEgress",
            "AWS::EC2::SecurityGroupIngress",
            "AWS::EC2::Subnet",
            "AWS::EC2::SubnetNetworkAclAssociation",
            "AWS::EC2::SubnetRouteTableAssociation",
            "AWS::EC2::VPC",
            "AWS::EC2::VPCCidrBlock",
            "AWS::EC2::VPCGatewayAttachment",
            "AWS::EFS::MountTarget",
            "AWS::RDS::DBSubnetGroup",
        ),
        _WIRING,
    ),
    **dict.fromkeys(
        (
            "AWS::ECR::RegistryPolicy",
            "AWS::Events::EventBusPolicy",
            "AWS::KMS::Alias",
            "AWS::Lambda::Permission",
            "AWS::Logs::ResourcePolicy",
            "AWS::S3::BucketPolicy",
            "AWS::SNS::TopicPolicy",
            "AWS::SQS::QueuePolicy",
            "AWS::SecretsManager::ResourcePolicy",
            "AWS::SecretsManager::SecretTargetAttachment",
        ),
        _POLICY,
    ),
    **dict.fromkeys(
        (
            "Custom::AWS",
            "Custom::CrossRegionExportReader",
            "Custom::CrossRegionExportWriter",
            "Custom::LogRetention",
            "Custom::S3AutoDeleteObjects",
            "Custom::S3BucketNotifications",
            "Custom::VpcRestrictDefaultSG",
        ),
        _DEPLOYMENT,
    ),
    "AWS::CloudFormation::Stack": "a nested stack costs nothing; its resources are in this estimate",
    "AWS::CloudFormation::WaitConditionHandle": "CloudFormation costs nothing",
    "AWS::ApplicationAutoScaling::ScalableTarget": "scaling costs nothing; what it adds does",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "scaling costs nothing; the alarms that it makes do",
    "AWS::Events::Rule": "rules cost nothing, nor do the events of AWS services and schedules that they take",
    "AWS::Lambda::EventInvokeConfig": "a setting of a function",
    "AWS::Lambda::EventSourceMapping": "the mapping costs nothing; its polling is requests to the queue or stream",
    "AWS::Lambda::LayerVersion": "layers cost nothing",
    "AWS::Logs::LogStream": "a part of a log group",
    "AWS::Logs::MetricFilter": "filters cost nothing; the metrics that they make are charged as custom metrics",
    "AWS::Logs::SubscriptionFilter": "filters cost nothing; where the lines go may",
    "AWS::SageMaker::EndpointConfig": "a configuration costs nothing; its endpoint does",
    "AWS::SageMaker::Model": "models cost nothing; endpoints and jobs that use them do",
    "AWS::SageMaker::ModelPackage": "entries of the model registry cost nothing",
    "AWS::SageMaker::ModelPackageGroup": "the model registry costs nothing",
    "AWS::SageMaker::NotebookInstanceLifecycleConfig": "a setting of notebook instances",
    "AWS::SageMaker::StudioLifecycleConfig": "a setting of Studio",
    "AWS::SageMaker::UserProfile": "profiles cost nothing; their spaces do",
    "Custom::ReleasedEndpoint": "removes an endpoint with its stack; the release that keeps it has its price",
}


def reason_of(resource_type: str) -> str | None:
    """Why the type costs nothing; None when it may cost something."""
    return FREE.get(resource_type)
