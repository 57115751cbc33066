"""Settings, read once from the environment. A wrong one is reported with its name and what it should hold."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from chatops.domain.errors import InvalidConfiguration
from chatops.domain.reason import Reason
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

P = ParamSpec("P")
T = TypeVar("T")
LANGUAGES = ("en", "ko")
_APP_ID = re.compile(r"[1-9][0-9]{0,18}|Iv[A-Za-z0-9.]{6,40}")
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,20}")
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_ADDRESS = re.compile(r"https?://[^\s/?#<>\"'|]+[^\s<>\"'|]*")
_LONGEST_ADDRESS = 2000
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
NO_PICTURES = "none"
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
"""Of the tokens that GitHub's jobs get. https://docs.github.com/en/actions/reference/security/oidc"""
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


@dataclass(frozen=True)
class Settings:
    """What every function may need, without the secrets: see `secrets`."""

    table: str
    state_machine_arn: str
    slack_secret_arn: str
    github_secret_arn: str
    region: str
    language: str
    api_url: str
    channel: str
    github_api_url: str
    github_app_id: str
    github_deployments: bool
    oidc_issuer: str
    oidc_audience: str
    slack_api_url: str
    gifs: Mapping[str, str]
    pages: bool


def text(env: Mapping[str, str], name: str, default: str = "") -> str:
    """The variable without surrounding blanks; empty counts as unset."""
    return env.get(name, "").strip() or default


def required(env: Mapping[str, str], name: str, what: TextKey) -> str:
    """The variable, or an error that says what it should hold (`what`: a key of the catalogues)."""
    value = text(env, name)
    if not value:
        raise InvalidConfiguration("not_set", name=name, what=Reason(what))
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
    raise InvalidConfiguration("not_like", name=name, found=repr(value[:200]), what=Reason("what_boolean"))


def like(env: Mapping[str, str], name: str, pattern: re.Pattern[str], what: TextKey, default: str = "") -> str:
    """The variable, which should match; `what`: a key of the catalogues for what it should hold."""
    value = text(env, name, default)
    if value and not pattern.fullmatch(value):
        raise InvalidConfiguration("not_like", name=name, found=repr(value[:200]), what=Reason(what))
    return value


def address(env: Mapping[str, str], name: str, default: str = "") -> str:
    """The variable, which should hold the address of a picture or an API."""
    value = text(env, name, default)
    if value and (len(value) > _LONGEST_ADDRESS or not value.isascii() or not _ADDRESS.fullmatch(value)):
        raise InvalidConfiguration("not_like", name=name, found=repr(value[:200]), what=Reason("what_address"))
    return value


def one_of(env: Mapping[str, str], name: str, known: tuple[str, ...], default: str) -> str:
    """The variable, which should hold one of these, in any case."""
    value = text(env, name, default)
    found = next((one for one in known if one.lower() == value.lower()), "")
    if not found:
        what = Reason("what_one_of", names=", ".join(known))
        raise InvalidConfiguration("not_like", name=name, found=repr(value[:200]), what=what)
    return found


def names(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A comma separated list without repetitions, in its order."""
    return tuple(dict.fromkeys(part.strip() for part in text(env, name).split(",") if part.strip()))


class Faults:
    """Gathers what is wrong with the settings, so that all of it is reported at once."""

    def __init__(self) -> None:
        self._found: list[Reason] = []

    def note(self, error: InvalidConfiguration) -> None:
        """Add the error's faults; one that is known already isn't repeated."""
        self._found += [fault for fault in error.faults if fault not in self._found]

    def read(self, otherwise: T, read: Callable[P, T], /, *args: P.args, **named: P.kwargs) -> T:
        """What `read` returns; `otherwise` where it raises InvalidConfiguration, which is noted."""
        try:
            return read(*args, **named)
        except InvalidConfiguration as error:
            self.note(error)
            return otherwise

    def check(self) -> None:
        """Raises InvalidConfiguration with everything that was noted, if anything was."""
        if self._found:
            raise InvalidConfiguration.of(self._found)


def load(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises InvalidConfiguration with all faults."""
    env = os.environ if env is None else env
    faults = Faults()
    language = faults.read("", one_of, env, "CHATOPS_LANG", LANGUAGES, "en")
    faults.read("", one_of, env, "LOG_LEVEL", LOG_LEVELS, "INFO")
    api_url = faults.read("", address, env, "CHATOPS_API_URL").rstrip("/")
    gif_base = ""
    if text(env, "GIF_BASE_URL") != NO_PICTURES:
        gif_base = faults.read("", address, env, "GIF_BASE_URL", f"{api_url}/gifs" if api_url else "").rstrip("/")
    region_name = "AWS_REGION" if text(env, "AWS_REGION") else "AWS_DEFAULT_REGION"
    region = faults.read("", like, env, region_name, REGION, "what_region", "us-east-1")

    def gif(name: str, file: str) -> str:
        return faults.read("", address, env, name, f"{gif_base}/{file}" if gif_base else "")

    made = Settings(
        table=faults.read("", required, env, "CHATOPS_TABLE", "what_table"),
        state_machine_arn=faults.read("", required, env, "CHATOPS_STATE_MACHINE_ARN", "what_machine"),
        slack_secret_arn=text(env, "CHATOPS_SLACK_SECRET_ARN"),
        github_secret_arn=text(env, "CHATOPS_GITHUB_SECRET_ARN"),
        region=region,
        language=language,
        api_url=api_url,
        channel=faults.read("", like, env, "SLACK_CHANNEL_ID", _CHANNEL, "what_channel"),
        github_api_url=faults.read("", address, env, "CHATOPS_GITHUB_API_URL", "https://api.github.com").rstrip("/"),
        github_app_id=faults.read("", like, env, "GITHUB_APP_ID", _APP_ID, "what_app_id"),
        github_deployments=faults.read(False, boolean, env, "GITHUB_DEPLOYMENTS", default=False),
        oidc_issuer=faults.read("", address, env, "CHATOPS_OIDC_ISSUER", GITHUB_ISSUER).rstrip("/"),
        oidc_audience=text(env, "CHATOPS_AUDIENCE"),
        slack_api_url=faults.read("", address, env, "SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/",
        gifs={
            "deploying": gif("GIF_DEPLOYING", "deploying.gif"),
            "success": gif("GIF_DEPLOY_SUCCESS", "deploy_complete.gif"),
            "failure": gif("GIF_DEPLOY_FAIL", "failed.gif"),
        },
        pages=faults.read(True, boolean, env, "CHATOPS_PAGES", default=True),
    )
    faults.check()
    return made


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
