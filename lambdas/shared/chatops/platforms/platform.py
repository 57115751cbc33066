"""What the bot asks of every platform. A new platform is a class with these members in a module of its own, and a line
in `registry`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from chatops.domain.deployment import Deployment
from chatops.domain.reason import Reason
from chatops.domain.release import Release
from chatops.domain.results import Restore, RolloutResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Target
from chatops.platforms.rollout import Pause, Rollout
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey


@dataclass(frozen=True)
class Texts:
    """Keys of the catalogue. `unreported`: the deploy stage did not report what the platform needs to find the rollout;
    `restores_itself`: the platform puts the release before back without being asked; `drift`: what is live is not what
    the ledger records."""

    unreported: TextKey
    restores_itself: TextKey
    drift: TextKey


class Platform(Protocol):
    """A target's platform. What it cannot do or find raises ServiceRefused, with the reason; botocore's errors pass
    where AWS does not answer."""

    kind: ClassVar[str]
    """As plans and the state machine name it."""
    pipeline_only: ClassVar[bool]
    """Only the pipeline changes such a target and knows what runs there: the deploy stage's success is the rollout's,
    and a release is put back by the rollback stage."""
    client: ClassVar[str]
    """boto3's name of the service; empty where none is asked."""
    lists_lag: ClassVar[bool]
    """Its list of deployments may follow an update only seconds later."""
    texts: ClassVar[Texts]

    def __init__(self, target: Target) -> None: ...

    def live(self, ledger: Sequence[Release]) -> Release | None:
        """The release that is live, by its name in the ledger (newest first) if it is there; None where nothing runs.
        Raises Refusal where the target's service does not exist."""

    def usable(self, release: Release) -> bool:
        """False if what the release needs to be put back does not exist any more."""

    def architecture(self, release: Release) -> str:
        """The processors that the release runs on, ARM64 or X86_64; empty where the platform doesn't say."""

    def drifted(self, recorded: Release, running: Release) -> bool:
        """True if somebody changed the service beside the bot. `recorded`: the ledger's newest release."""

    def status(self) -> RolloutResult | None:
        """The service's newest rollout, for /platform-status, as far as it says; None where nobody can be asked."""

    def names(self) -> Mapping[str, str]:
        """The names of the service, for the commands that a person may type."""

    def reported(self, deployment: Deployment) -> Outputs:
        """What the deploy stage's run reported; completed where the run may have ended before it could report."""

    def begun(self, since: float) -> Outputs:
        """What began at or after this time (epoch seconds), for pipelines that report nothing."""

    def rollout(self, deployment: Deployment, outputs: Outputs) -> Rollout | None:
        """How the rollout of what the deployment brought stands; None where `outputs` do not tell which it is."""

    def restore(self, deployment: Deployment) -> Restore:
        """Begin to put `deployment.plan.previous` back, or go on with it: a second call begins nothing twice."""

    def restored(self, deployment: Deployment) -> Rollout:
        """How what `restore` began stands."""

    def restores_again(self, deployment: Deployment, found: Rollout) -> bool:
        """True if `restore` is to be called again. `found`: what `restored` has just returned."""

    def proceed(self, pause: Pause) -> bool:
        """Let a paused rollout go on; False where it does not wait at this pause any more."""

    @staticmethod
    def counts(desired: int | None) -> TextKey | None:
        """The text that shows how much of a rollout runs; None where there is nothing to count."""

    @staticmethod
    def by_hand(previous: Release, names: Mapping[str, str]) -> Reason | None:
        """The command that puts the release `previous` back without the bot."""
