"""A deployment's plan: what was asked for, completed and checked by the Plan step; never changed afterwards."""

from __future__ import annotations

from dataclasses import field

from chatops.domain.codec import SCHEMA
from chatops.domain.reason import Reason, Refused
from chatops.domain.release import Release
from chatops.domain.target import Timing
from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asked: a Slack user id and name; both empty for somebody with IAM rights in the console."""

    id: str = ""
    name: str | None = None


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Who deploys during a freeze, and why."""

    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What lies between the live release and the new one. `behind` above 0: the new one is (also) older."""

    url: str = ""
    commits: int = 0
    behind: int = 0
    authors: tuple[str, ...] = ()
    pulls: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """What the approval asks: which users (and the user groups they come from), how many of them, for how many
    seconds. `outside`: those of them who cannot see the channel."""

    eligible: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    quorum: int = 1
    seconds: int = 0
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`verdict`: `go`, `dry_run` or `refused`; empty where nothing was planned. `command`: `deploy` or `rollback`.

    `live`: the release that ran when the plan was made, None where that isn't known. `previous`: the release to go back
    to, None where there is none. `ledger`: key of the ledger's newest entry at that time, empty for an empty ledger.
    `architecture`: the processors that the live release is for, ARM64 or X86_64; empty where that isn't known.
    `approval` is None where the policy asks nobody. `card`: id of the deployment whose Roll back button was pressed.
    `command_prefix`: what the workspace's slash commands begin with; empty for `/platform-`. `started_at`: epoch
    seconds; `committed_at`: GitHub's ISO text. `note`: what people should know about the version before they decide.
    `refusal`: why the plan was refused; of a dry run, why a deployment would be now.
    """

    schema: int = SCHEMA
    verdict: str = ""
    command: str = "deploy"
    target: str = ""
    kind: str = ""
    repository: str = ""
    version: str = ""
    sha: str = ""
    image: str = ""
    architecture: str = ""
    title: str = ""
    url: str = ""
    committed_at: str = ""
    reason: str = ""
    card: str = ""
    break_glass: BreakGlass | None = field(default=None, metadata={"none": {}})
    requester: Requester = Requester()
    channel: str = ""
    live: Release | None = field(default=None, metadata={"none": {}})
    previous: Release | None = field(default=None, metadata={"none": {"present": False}, "some": {"present": True}})
    ledger: str = ""
    changes: Changes | None = field(default=None, metadata={"none": {}})
    approval: ApprovalRule | None = field(
        default=None, metadata={"none": {"required": False}, "some": {"required": True}}
    )
    timing: Timing = Timing()
    started_at: float = 0.0
    command_prefix: str = ""
    note: Reason | None = None
    refusal: Reason | None = None

    @property
    def pipeline_only(self) -> bool:
        """Only the pipeline knows what runs: its deploy stage decides, and no rollout follows. The state machine tests
        `kind` likewise; `platforms` has a class by each kind."""
        return self.kind == "none"

    @property
    def before(self) -> str:
        """The version that ran when the plan was made; empty where that isn't known."""
        return self.live.version if self.live else ""

    @property
    def already_live(self) -> bool:
        """A deployment of what runs in the target already."""
        return bool(self.command == "deploy" and self.live and self.live.same(Release(self.version, self.sha)))

    @property
    def back(self) -> str:
        """The version to return to; empty where there is none."""
        return self.previous.version if self.previous else ""


@dataclass(frozen=True, slots=True)
class RefusedPlan:
    """The Plan step's answer to a request that isn't carried out. `refusal`: the reason, with its English text."""

    schema: int
    verdict: str
    command: str
    requester: Requester
    channel: str
    refusal: Refused
    command_prefix: str = ""
