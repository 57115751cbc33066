"""ECS's own errors, by the names that boto3 raises them under."""

from __future__ import annotations

from fakes.aws_json import AwsError


class EcsError(AwsError):
    """An answer that is an error: `code` is ECS's name for it.

    Names and meanings: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html and each
    operation's own page.
    """


def cluster_not_found() -> EcsError:
    return EcsError("ClusterNotFoundException", "Cluster not found.")


def service_not_found() -> EcsError:
    return EcsError("ServiceNotFoundException", "Service not found.")


def service_not_active() -> EcsError:
    return EcsError("ServiceNotActiveException", "Service was not ACTIVE.")


def deployment_not_found() -> EcsError:
    return EcsError("ServiceDeploymentNotFoundException", "Service deployment not found.")


def client_error(message: str) -> EcsError:
    return EcsError("ClientException", message)


def invalid(message: str) -> EcsError:
    return EcsError("InvalidParameterException", message)


def conflict(message: str) -> EcsError:
    return EcsError("ConflictException", message)
