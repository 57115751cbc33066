"""Settings, read once from the environment; a wrong one fails at start with its name and what it should hold."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from chatops.errors import InvalidConfiguration, phrase

LANGUAGES = ("en", "ko")
_APP_ID = re.compile(r"[1-9][0-9]{0,18}|Iv[A-Za-z0-9.]{6,40}")
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


@dataclass(frozen=True)
class Settings:
    """What every function may ask for. Secrets are not here: see `secrets`."""

    table: str
    state_machine_arn: str
    secret_arn: str
    region: str
    language: str
    api_url: str
    channel: str
    github_api_url: str
    github_app_id: str
    slack_api_url: str
    gifs: Mapping[str, str]


def text(env: Mapping[str, str], name: str, default: str = "") -> str:
    """The variable without surrounding blanks; empty counts as unset."""
    return env.get(name, "").strip() or default


def required(env: Mapping[str, str], name: str, what: str) -> str:
    """The variable, or an error that says what it should hold (`what`: a key of the catalogues)."""
    value = text(env, name)
    if not value:
        raise InvalidConfiguration("not_set", name=name, what=phrase(what))
    return value


def boolean(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    """`true` or `false` (also 1/0, yes/no, on/off)."""
    value = text(env, name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise InvalidConfiguration("not_like", name=name, found=repr(value), what=phrase("what_boolean"))


def names(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A comma separated list without repetitions, in its order."""
    return tuple(dict.fromkeys(part.strip() for part in text(env, name).split(",") if part.strip()))


def load(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises InvalidConfiguration with the variable's name."""
    env = os.environ if env is None else env
    language = text(env, "CHATOPS_LANG", "en").lower()
    if language not in LANGUAGES:
        known = phrase("what_one_of", names=", ".join(LANGUAGES))
        raise InvalidConfiguration("not_like", name="CHATOPS_LANG", found=repr(language), what=known)
    api_url = text(env, "CHATOPS_API_URL").rstrip("/")
    gif_base = text(env, "GIF_BASE_URL", f"{api_url}/gifs" if api_url else "").rstrip("/")

    app_id = text(env, "GITHUB_APP_ID")
    if app_id and not _APP_ID.fullmatch(app_id):
        what = phrase("what_app_id")
        raise InvalidConfiguration("not_like", name="GITHUB_APP_ID", found=repr(app_id), what=what)

    region = text(env, "AWS_REGION", text(env, "AWS_DEFAULT_REGION", "us-east-1"))

    def gif(name: str, file: str) -> str:
        return text(env, name, f"{gif_base}/{file}" if gif_base else "")

    return Settings(
        table=required(env, "CHATOPS_TABLE", "what_table"),
        state_machine_arn=required(env, "CHATOPS_STATE_MACHINE_ARN", "what_machine"),
        secret_arn=text(env, "CHATOPS_SECRET_ARN"),
        region=region,
        language=language,
        api_url=api_url,
        channel=text(env, "SLACK_CHANNEL_ID"),
        github_api_url=text(env, "CHATOPS_GITHUB_API_URL", "https://api.github.com").rstrip("/"),
        github_app_id=app_id,
        slack_api_url=text(env, "SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/",
        gifs={
            "deploying": gif("GIF_DEPLOYING", "deploying.gif"),
            "success": gif("GIF_DEPLOY_SUCCESS", "deploy_complete.gif"),
            "failure": gif("GIF_DEPLOY_FAIL", "failed.gif"),
        },
    )


_settings: Settings | None = None


def settings() -> Settings:
    """The settings of this execution environment, read at the first call."""
    global _settings  # noqa: PLW0603 - one per process, like the environment it is read from
    if _settings is None:
        _settings = load()
    return _settings


_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
"""By partition. The isolated ones have addresses that AWS does not publish."""


def execution_url(execution_arn: str) -> str:
    """The execution in the Step Functions console of its own partition and region (or where `CHATOPS_CONSOLE_URL` says;
    `{arn}` and `{name}`); nothing where no address is known. Needs no setting: it is told where settings are wrong."""
    _, _, rest = execution_arn.partition(":")
    partition, _, rest = rest.partition(":")
    region = rest.split(":")[1] if rest.count(":") > 1 else ""
    console = _CONSOLES.get(partition, "")
    known = f"https://{region}.{console}/states/home?region={region}#/v2/executions/details/{{arn}}"
    pattern = text(os.environ, "CHATOPS_CONSOLE_URL", known if console and region else "")
    return pattern.replace("{arn}", execution_arn).replace("{name}", execution_arn.rpartition(":")[2])


def reset() -> None:
    """Forget what was read (tests change the environment)."""
    global _settings  # noqa: PLW0603 - see settings()
    _settings = None
