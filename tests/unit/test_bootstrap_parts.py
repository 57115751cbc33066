"""CloudFormation's role may do what the stack's resource types ask for by their own descriptions, and no more."""

from __future__ import annotations

import pytest

from tests.unit.resolved_template import Resolved
from tests.unit.test_bootstrap import granted

pytestmark = pytest.mark.slow

MADE_BY_SAM = {
    # https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html
    "AWS::Serverless::Function": {
        *("AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::IAM::Role"),
        *("AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig", "AWS::Events::Rule"),
    },
    "AWS::Serverless::HttpApi": {"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"},
    "AWS::Serverless::LayerVersion": {"AWS::Lambda::LayerVersion"},
    "AWS::Serverless::StateMachine": {"AWS::StepFunctions::StateMachine", "AWS::IAM::Role"},
}
UNUSED = {
    "AWS::ApiGatewayV2::Api": {"s3:getObject"},  # the definition stands in the template
    "AWS::ApiGatewayV2::Stage": {
        "apigateway:TagResource",
        "apigateway:UntagResource",
    },  # IAM knows them as POST, DELETE
    "AWS::DynamoDB::Table": {  # replicas, imports, streams to Kinesis, insights, resource policies, keys of one's own
        *("dynamodb:AssociateTableReplica", "dynamodb:CreateTableReplica", "dynamodb:ImportTable"),
        *("dynamodb:DescribeImport", "dynamodb:DeleteResourcePolicy", "dynamodb:PutResourcePolicy"),
        *("dynamodb:EnableKinesisStreamingDestination", "dynamodb:DisableKinesisStreamingDestination"),
        *("dynamodb:UpdateKinesisStreamingDestination", "dynamodb:UpdateContributorInsights"),
        *("dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
        *(
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
            "iam:CreateServiceLinkedRole",
            "kinesis:*",
            "kms:*",
            "logs:*",
            "s3:*",
        ),
    },
    "AWS::Events::Rule": {"iam:PassRole"},  # a rule that calls a function needs no role
    "AWS::Lambda::Alias": {  # weighted deployments, provisioned concurrency
        *("codedeploy:*", "lambda:PutProvisionedConcurrencyConfig", "lambda:DeleteProvisionedConcurrencyConfig"),
    },
    "AWS::Lambda::Function": {  # networks, file systems, signed code, reserved concurrency, capacity, keys of one's own
        *("ec2:*", "elasticfilesystem:*", "s3files:*", "kms:*", "lambda:PassCapacityProvider"),
        *("lambda:PutFunctionCodeSigningConfig", "lambda:DeleteFunctionCodeSigningConfig"),
        *("lambda:GetCodeSigningConfig", "lambda:AssociateRuntimeAlias"),
        *("lambda:PutFunctionConcurrency", "lambda:PutFunctionScalingConfig"),
    },
    "AWS::Lambda::Version": {"lambda:PutFunctionScalingConfig", "lambda:PutProvisionedConcurrencyConfig"},
    "AWS::IAM::Role": {  # which is the point of a boundary; whom a role trusts is not changed
        *("iam:DeleteRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy"),
    },
    "AWS::Logs::LogGroup": {  # keys of one's own, data protection, indexes, other kinds of log groups
        *("firehose:*", "s3:*", "logs:AssociateKmsKey", "logs:DisassociateKmsKey"),
        *("logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:PutIndexPolicy"),
        *("logs:DeleteIndexPolicy", "logs:DeleteResourcePolicy", "logs:PutBearerTokenAuthentication"),
        *("logs:PutLogGroupDeletionProtection",),
    },
    "AWS::SNS::Subscription": {
        "iam:GetRole",
        "iam:PassRole",
        "sns:ListSubscriptions",
    },  # firehose; all of the account's
    "AWS::SNS::Topic": {"iam:GetRole", "iam:PassRole", "sns:ListTopics", "sns:PutDataProtectionPolicy"},
    "AWS::SecretsManager::Secret": {  # replicas; the value is written, never read
        *("secretsmanager:GetSecretValue", "secretsmanager:ListSecrets"),
        *("secretsmanager:ReplicateSecretToRegions", "secretsmanager:RemoveRegionsFromReplication"),
    },
    "AWS::StepFunctions::StateMachine": {"kms:*"},
    "AWS::CloudWatch::Dashboard": {"cloudwatch:ListDashboards"},
}
"""What a type asks for, for features that template.yaml does not use."""


def types() -> set[str]:
    found = {each["Type"] for each in Resolved().document["Resources"].values()}
    return {each for kind in found for each in MADE_BY_SAM.get(kind, {kind})}


def asked(kind: str) -> set[str]:
    """What making, reading, changing and deleting a resource of that type asks for."""
    from cfnlint import schema  # for two seconds, which every process that collects this file would take

    handlers = schema.PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"]
    wanted = {"create", "read", "update", "delete"}
    every = {action for name, each in handlers.items() if name in wanted for action in each.get("permissions", [])}
    unused = UNUSED.get(kind, set())
    services = {action.removesuffix("*") for action in unused if action.endswith(":*")}
    return {action for action in every - unused if not action.startswith(tuple(services) or ("-",))}


def test_it_may_do_what_each_type_asks_for() -> None:
    may = {action for each in granted("CloudFormationRole") for action in each["Action"]}
    lacking = {kind: sorted(asked(kind) - may) for kind in sorted(types())}
    assert {kind: actions for kind, actions in lacking.items() if actions} == {}


def test_it_may_not_do_more() -> None:
    may = {action for each in granted("CloudFormationRole") for action in each["Action"]}
    tags = {"lambda:ListTags", "iam:ListRoleTags"}  # `tagging` of the types, not `handlers`
    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html, and the same for the API's access log
    deliveries = {f"logs:{name}LogDelivery" for name in ("Create", "Get", "Update", "Delete")} | {
        "logs:ListLogDeliveries"
    }
    besides = {"cloudformation:CreateChangeSet", *tags, *deliveries}  # the template's transform
    assert sorted(may - besides - {action for kind in types() for action in asked(kind)}) == []
