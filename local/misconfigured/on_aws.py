"""What can be wrong with the stack, its address and the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fakes.ecs import names
from local.misconfigured.fault import Environment, Fault, sets

if TYPE_CHECKING:
    from fakes.ecs.model import Service
    from local.session import Session

SERVICE, STACK, REGION, PICTURES, URL = "ECS service", "stack", "region", "pictures", "request URL"
EVENTS = "events"
Apply = Callable[["Session", Environment], None]


def below(variable: str, path: str) -> Apply:
    """A setting that holds an address of the local run."""

    def apply(session: Session, env: Environment) -> None:
        env[variable] = f"{session.url}{path}"

    return apply


def service(change: Callable[[Service], None]) -> Apply:
    def apply(session: Session, _: Environment) -> None:
        session.ecs.change(change)

    return apply


def configured(**deployment: object) -> Apply:
    def apply(session: Session, _: Environment) -> None:
        session.ecs.configure(dict(deployment))

    return apply


def _no_service(session: Session, _: Environment) -> None:
    session.ecs.remove_service()


def _no_cluster(session: Session, _: Environment) -> None:
    session.ecs.remove_cluster()


def _no_application(session: Session, _: Environment) -> None:
    session.codedeploy.deployer.groups.clear()


def _no_group(session: Session, _: Environment) -> None:
    _no_application(session, _)
    session.codedeploy.add_group("batch", "another")


def _set(name: str, value: object) -> Apply:
    return service(lambda one: setattr(one, name, value))


def _no_task_definition(session: Session, _: Environment) -> None:
    session.ecs.deregister_task_definition(names.arn("task-definition", "checkout-api:1"))


def _fewer(one: Service) -> None:
    del one.primary.running[1:]


def _elsewhere(session: Session, env: Environment) -> None:
    env["CHATOPS_STATE_MACHINE_ARN"] = session.machine_arn.replace("us-east-1", "eu-west-1")


def _no_machine(session: Session, env: Environment) -> None:
    env["CHATOPS_STATE_MACHINE_ARN"] = f"{session.machine_arn}-gone"


def _late(session: Session, _: Environment) -> None:
    session.github.date_offset = 400


def _off(session: Session, _: Environment) -> None:
    session.github.date_offset = -100


BREAKER = "deploymentCircuitBreaker"


def _dev(name: str, says: str, apply: Apply, *, grave: bool = True) -> Fault:
    return Fault(name, SERVICE, says, apply, subject="dev", grave=grave)


ON_AWS = (
    Fault("region-unknown", REGION, "no region 'us-est-1' (AWS_REGION)", sets(AWS_REGION="us-est-1")),
    Fault("stack-in-another-region", REGION, "CHATOPS_STATE_MACHINE_ARN lies in eu-west-1", _elsewhere),
    Fault("table-gone", STACK, "The table other is not there", sets(CHATOPS_TABLE="other")),
    Fault("state-machine-gone", STACK, "-gone is not there", _no_machine),
    Fault("slack-secret-gone", STACK, "The Slack secret other is not there", sets(CHATOPS_SLACK_SECRET_ARN="other")),
    Fault("github-secret-gone", STACK, "The GitHub secret other is not there", sets(CHATOPS_GITHUB_SECRET_ARN="other")),
    Fault(
        "webhook-secret-gone",
        EVENTS,
        "webhook other cannot be read",
        sets(CHATOPS_WEBHOOK_SECRET_ARN="other"),
        grave=False,
    ),
    Fault(
        "webhook-secret-without-value",
        EVENTS,
        "holds no GITHUB_WEBHOOK_SECRET",
        sets(CHATOPS_WEBHOOK_SECRET_ARN="platform-deploy-github"),
        grave=False,
    ),
    Fault("request-url-wrong", URL, "answers 404", below("CHATOPS_API_URL", "/production")),
    Fault("request-url-dead", URL, "127.0.0.1:9 did not answer", sets(CHATOPS_API_URL="http://127.0.0.1:9/prod")),
    Fault("other-signing-secret", "signing secret", "does not hold", sets(SLACK_SIGNING_SECRET="another-secret")),
    Fault("picture-missing", PICTURES, "is answered 404", below("GIF_DEPLOYING", "/prod/gifs/none.gif")),
    Fault("picture-is-a-page", PICTURES, "is no GIF: its type is", below("GIF_DEPLOY_FAIL", "/_slack/api/auth.test")),
    Fault("picture-not-https", PICTURES, "no https address", sets(GIF_DEPLOY_SUCCESS="http://example.com/a.gif")),
    Fault("clock-late", "clock", "behind GitHub's", _late),
    Fault("clock-a-little-off", "clock", "ahead of GitHub's", _off, grave=False),
    Fault("no-group", "CodeDeploy", "batch has no group live", _no_group, subject="batch"),
    Fault("no-application", "CodeDeploy", "knows no application batch", _no_application, subject="batch"),
    _dev("no-service", "no active service checkout-api in the cluster checkout", _no_service),
    _dev("no-cluster", "no active cluster checkout", _no_cluster),
    _dev("service-deleted", "no active service checkout-api in the cluster checkout", _set("status", "INACTIVE")),
    _dev("service-of-codedeploy", "belong to CODE_DEPLOY", _set("controller", "CODE_DEPLOY")),
    _dev("no-circuit-breaker", "circuit breaker is off", configured(**{BREAKER: {"enable": False, "rollback": False}})),
    _dev(
        "circuit-breaker-without-rollback",
        "does not put the last one back",
        configured(**{BREAKER: {"enable": True, "rollback": False}}),
        grave=False,
    ),
    _dev("service-of-nothing", "desired count 0", _set("desired", 0)),
    _dev("service-half-up", "runs 1 of 4 tasks", service(_fewer), grave=False),
    _dev("task-definition-gone", "checkout-api:1 that checkout-api runs is inactive", _no_task_definition),
)
