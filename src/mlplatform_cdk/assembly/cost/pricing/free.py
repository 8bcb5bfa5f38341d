"""Types that cost nothing by themselves, each with the reason; a type that is neither here nor priced is unknown.

Where AWS says so: https://aws.amazon.com/cloudformation/pricing/ (stacks, custom resources), and line by line
https://github.com/aws-samples/sample-aws-sagemaker-studio-guardcap/blob/main/docs/COSTING.md (IAM, VPC, SSM, Studio).
"""

from __future__ import annotations

_CUSTOM = "Custom::"
_CUSTOM_REASON = (
    "custom resources cost nothing; their functions are priced as any other, what they make outside is unseen"
)

# reason: (service, types of the service)
_GROUPS: dict[str, tuple[tuple[str, str], ...]] = {
    "IAM costs nothing": (
        ("IAM", "AccessKey Group GroupPolicy InstanceProfile ManagedPolicy OIDCProvider Policy Role RolePolicy"),
        ("IAM", "SAMLProvider ServerCertificate ServiceLinkedRole User UserPolicy UserToGroupAddition"),
        ("IAM", "VirtualMFADevice"),
        ("SSO", "Assignment PermissionSet"),
    ),
    "networks, subnets, routes and security groups cost nothing; what runs and flows in them does": (
        ("EC2", "CustomerGateway DHCPOptions EIPAssociation EgressOnlyInternetGateway"),
        ("EC2", "GatewayRouteTableAssociation InternetGateway NetworkAcl NetworkAclEntry NetworkInterface"),
        ("EC2", "NetworkInterfaceAttachment PrefixList Route RouteTable SecurityGroup SecurityGroupEgress"),
        ("EC2", "SecurityGroupIngress SecurityGroupVpcAssociation Subnet SubnetCidrBlock"),
        ("EC2", "SubnetNetworkAclAssociation SubnetRouteTableAssociation TransitGatewayRoute"),
        ("EC2", "TransitGatewayRouteTable TransitGatewayRouteTableAssociation"),
        ("EC2", "TransitGatewayRouteTablePropagation VPC VPCCidrBlock VPCDHCPOptionsAssociation"),
        ("EC2", "VPCGatewayAttachment VPCPeeringConnection VPNGateway"),
        ("EFS", "AccessPoint MountTarget"),
        ("RDS", "DBSubnetGroup"),
        ("ElastiCache", "SubnetGroup"),
        ("Redshift", "ClusterSubnetGroup"),
    ),
    "a policy, permission or name costs nothing": (
        ("EC2", "VPCEndpointServicePermissions NetworkInterfacePermission"),
        ("ECR", "RegistryPolicy"),
        ("Events", "EventBusPolicy"),
        ("KMS", "Alias"),
        ("Lambda", "LayerVersionPermission Permission"),
        ("Logs", "ResourcePolicy"),
        ("RAM", "Permission ResourceShare"),
        ("S3", "AccessPoint BucketPolicy"),
        ("SNS", "TopicInlinePolicy TopicPolicy"),
        ("SQS", "QueueInlinePolicy QueuePolicy"),
        ("SecretsManager", "ResourcePolicy SecretTargetAttachment"),
    ),
    "a setting of what is priced by itself": (
        ("ApplicationAutoScaling", "ScalableTarget"),
        ("Athena", "NamedQuery WorkGroup"),
        ("Backup", "BackupPlan BackupSelection"),
        ("AutoScaling", "LaunchConfiguration LifecycleHook ScheduledAction"),
        ("CloudFront", "CachePolicy CloudFrontOriginAccessIdentity KeyGroup OriginAccessControl"),
        ("CloudFront", "OriginRequestPolicy"),
        ("CloudFront", "PublicKey ResponseHeadersPolicy"),
        ("Cognito", "UserPoolClient UserPoolGroup UserPoolResourceServer"),
        ("DLM", "LifecyclePolicy"),
        ("EC2", "KeyPair LaunchTemplate PlacementGroup VolumeAttachment"),
        ("ECR", "PullThroughCacheRule ReplicationConfiguration RepositoryCreationTemplate"),
        ("ElastiCache", "ParameterGroup"),
        ("Lambda", "CodeSigningConfig EventInvokeConfig Url"),
        ("RDS", "DBClusterParameterGroup DBParameterGroup EventSubscription OptionGroup"),
        ("Redshift", "ClusterParameterGroup"),
        ("SSM", "Association Document MaintenanceWindow MaintenanceWindowTarget MaintenanceWindowTask"),
        ("SSM", "PatchBaseline"),
        ("SageMaker", "AppImageConfig CodeRepository NotebookInstanceLifecycleConfig StudioLifecycleConfig"),
        ("Scheduler", "ScheduleGroup"),
        ("SecretsManager", "RotationSchedule"),
        ("StepFunctions", "Activity StateMachineAlias StateMachineVersion"),
        ("XRay", "Group SamplingRule"),
    ),
    "parts of an API cost nothing; its requests do": (
        ("ApiGateway", "Account ApiKey Authorizer BasePathMapping ClientCertificate Deployment DocumentationPart"),
        ("ApiGateway", "DocumentationVersion DomainName GatewayResponse Method Model RequestValidator Resource"),
        ("ApiGateway", "UsagePlan UsagePlanKey"),
        ("ApiGatewayV2", "ApiMapping Authorizer Deployment DomainName Integration IntegrationResponse Model"),
        ("ApiGatewayV2", "Route RouteResponse Stage"),
    ),
    "parts of a load balancer or a web ACL cost nothing; it does": (
        ("ElasticLoadBalancingV2", "Listener ListenerCertificate ListenerRule TargetGroup"),
        ("WAFv2", "IPSet LoggingConfiguration RegexPatternSet WebACLAssociation"),
    ),
    "clusters and task definitions cost nothing; the tasks of their services do": (
        ("ECS", "CapacityProvider Cluster ClusterCapacityProviderAssociations TaskDefinition"),
    ),
    "an entry in a list costs nothing": (
        ("Budgets", "Budget"),
        ("CE", "AnomalyMonitor AnomalySubscription CostCategory"),
        ("Cognito", "IdentityPool IdentityPoolRoleAttachment"),
        ("ResourceGroups", "Group"),
        ("Route53", "RecordSet RecordSetGroup"),
        ("SageMaker", "ModelPackage ModelPackageGroup"),
        ("ServiceCatalogAppRegistry", "Application AttributeGroup AttributeGroupAssociation ResourceAssociation"),
        ("CodeConnections", "Connection"),
        ("CodeStarConnections", "Connection"),
        ("CodeStarNotifications", "NotificationRule"),
    ),
}
_SINGLE = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": "scaling costs nothing; the alarms that it makes do",
    "AWS::AutoScaling::ScalingPolicy": "scaling costs nothing; the alarms that it makes do",
    "AWS::CloudFormation::CustomResource": _CUSTOM_REASON,
    "AWS::CloudFormation::Macro": "CloudFormation costs nothing for AWS's own types",
    "AWS::CloudFormation::Stack": "a nested stack costs nothing; its resources are in this estimate",
    "AWS::CloudFormation::WaitCondition": "CloudFormation costs nothing for AWS's own types",
    "AWS::CloudFormation::WaitConditionHandle": "CloudFormation costs nothing for AWS's own types",
    "AWS::Events::Rule": "rules cost nothing, nor do the events of AWS services and schedules that they take",
    "AWS::Lambda::EventSourceMapping": "the mapping costs nothing; its polling is requests to the queue or stream",
    "AWS::Lambda::LayerVersion": "layers cost nothing",
    "AWS::Logs::LogStream": "a part of a log group",
    "AWS::Logs::Destination": "destinations cost nothing; what takes the lines may",
    "AWS::Logs::MetricFilter": "filters cost nothing; the metrics that they make are charged as custom metrics",
    "AWS::Logs::QueryDefinition": "saved queries cost nothing; running them does",
    "AWS::Logs::SubscriptionFilter": "filters cost nothing; where the lines go may",
    "AWS::SageMaker::EndpointConfig": "a configuration costs nothing; its endpoint does",
    "AWS::SageMaker::Model": "models cost nothing; endpoints and jobs that use them do",
    "AWS::SageMaker::UserProfile": "profiles cost nothing; their spaces do",
    "Custom::ReleasedEndpoint": "removes an endpoint with its stack; the release that keeps it has its price",
}
FREE: dict[str, str] = {
    **{
        f"AWS::{service}::{name}": reason
        for reason, services in _GROUPS.items()
        for service, names in services
        for name in names.split()
    },
    **_SINGLE,
}


def reason_of(resource_type: str) -> str | None:
    """Why the type costs nothing; None when it may cost something."""
    return FREE.get(resource_type, _CUSTOM_REASON if resource_type.startswith(_CUSTOM) else None)
