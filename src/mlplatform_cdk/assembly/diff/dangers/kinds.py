"""Which resource types hold what cannot be made again, and which are addresses that others call."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

# Beside those that cfn-lint names (its rule I3011), what machine learning adds and what it lacks.
_MORE = {
    "AWS::CloudTrail::EventDataStore": "audit events",
    "AWS::CodeCommit::Repository": "code",
    "AWS::Cassandra::Table": "rows",
    "AWS::ECR::Repository": "images",
    "AWS::MSK::Cluster": "topics",
    "AWS::MemoryDB::Cluster": "entries",
    "AWS::OpenSearchServerless::Collection": "documents",
    "AWS::RedshiftServerless::Namespace": "tables",
    "AWS::S3Express::DirectoryBucket": "objects",
    "AWS::S3Tables::TableBucket": "tables",
    "AWS::SageMaker::Domain": "home directories of its users",
    "AWS::SageMaker::FeatureGroup": "features",
    "AWS::SageMaker::MlflowTrackingServer": "experiments",
    "AWS::SageMaker::ModelPackageGroup": "registered models",
    "AWS::SageMaker::NotebookInstance": "notebooks",
    "AWS::SageMaker::Space": "files of its users",
    "AWS::Timestream::Database": "time series",
    "AWS::Timestream::Table": "time series",
}
_NAMED = {
    "AWS::Cognito::UserPool": "users and their passwords",
    "AWS::KMS::Key": "the only way to read what it encrypts",
    "AWS::Logs::LogGroup": "log lines",
    "AWS::S3::Bucket": "objects",
    "AWS::SQS::Queue": "messages in flight",
    "AWS::SecretsManager::Secret": "a secret",
}
# What they hold is soon of no use, so that losing it is a warning.
PASSING = {"AWS::Logs::LogGroup", "AWS::SQS::Queue"}

ADDRESSES = {
    "AWS::ApiGateway::DomainName": "domain name",
    "AWS::ApiGateway::RestApi": "API",
    "AWS::ApiGatewayV2::Api": "API",
    "AWS::ApiGatewayV2::DomainName": "domain name",
    "AWS::AppSync::GraphQLApi": "API",
    "AWS::CloudFront::Distribution": "distribution",
    "AWS::Cognito::UserPoolDomain": "sign-in domain",
    "AWS::EC2::EIP": "address",
    "AWS::ElasticLoadBalancing::LoadBalancer": "load balancer",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancer",
    "AWS::Elasticsearch::Domain": "search domain",
    "AWS::GlobalAccelerator::Accelerator": "accelerator",
    "AWS::Lambda::Url": "function URL",
    "AWS::OpenSearchService::Domain": "search domain",
    "AWS::Route53::HostedZone": "hosted zone",
    "AWS::SageMaker::Domain": "Studio domain",
    "AWS::SageMaker::Endpoint": "endpoint",
    "AWS::SageMaker::InferenceComponent": "inference component",
    "AWS::Transfer::Server": "transfer server",
}


@cache
def stateful() -> dict[str, str]:
    """Resource type to what it holds."""
    document = json.loads((files("cfnlint.data.AdditionalSpecs") / "StatefulResources.json").read_text("utf-8"))
    known = {kind: "data" for kind in document["ResourceTypes"] if kind != "AWS::CloudFormation::Stack"}
    return {**known, **_NAMED, **_MORE}
