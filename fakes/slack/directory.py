"""The workspace: its people, channels and user groups, in the shapes of users.info and conversations.info."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TEAM_ID = "T0ACME001"
TEAM_DOMAIN = "acme"
APP_ID = "A0CHATOPS"
BOT_ID = "B0CHATOPS"

U_DEV = "U0DANA001"
U_LEE = "U0LEE0001"
U_KIM = "U0KIM0001"
U_OUT = "U0OUT0001"
U_GUEST = "U0GUEST01"
U_BOT = "U0BOT0001"
U_PARTNER = "U0PARTNR1"
PARTNER_TEAM = "T0PARTNR1"
"""Another company's workspace, which shares a channel."""
SLACKBOT = "USLACKBOT"

S_APPROVERS = "S0PLATF01"

C_DEPLOY = "C0DEPLOY1"
C_PUBLIC = "C0PUBLIC1"
C_SHARED = "C0SHARED1"
G_SECRET = "G0SECRET1"


@dataclass(frozen=True)
class User:
    """A member of the workspace. `restricted` is a guest: 1 of several channels, 2 of a single one."""

    id: str
    name: str
    real_name: str
    title: str = ""
    is_bot: bool = False
    restricted: int = 0
    deleted: bool = False
    team: str = TEAM_ID
    enterprise: str = ""

    def info(self) -> dict[str, Any]:
        """The `user` of users.info: https://docs.slack.dev/reference/objects/user-object"""
        answer: dict[str, Any] = {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "deleted": self.deleted,
            "color": "4bbe2e",
            "real_name": self.real_name,
            "tz": "Asia/Seoul",
            "tz_label": "Korea Standard Time",
            "tz_offset": 32400,
            "profile": {
                "title": self.title,
                "real_name": self.real_name,
                "real_name_normalized": self.real_name,
                "display_name": self.name,
                "display_name_normalized": self.name,
                "avatar_hash": "ge3b51ca72de",
                "image_72": f"https://secure.gravatar.com/avatar/{self.id.lower()}.png",
                "team": self.team,
            },
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1700000000,
        }
        if self.enterprise:
            answer["enterprise_user"] = {"id": self.id, "enterprise_id": self.enterprise, "teams": [self.team]}
        if self.team != TEAM_ID and not self.enterprise:
            # who shares a channel with the app is no stranger to Slack, and what they are at home is not told
            answer["is_stranger"] = False
        elif not self.deleted:
            answer |= {
                "is_admin": False,
                "is_owner": False,
                "is_primary_owner": False,
                "is_restricted": self.restricted > 0,
                "is_ultra_restricted": self.restricted > 1,
                "is_email_confirmed": not self.is_bot,
                "has_2fa": not self.is_bot,
            }
        return answer


@dataclass(frozen=True)
class Channel:
    """A conversation and who is in it. `person`: with whom, for the bot's direct messages, which have no name."""

    id: str
    name: str
    members: frozenset[str]
    is_private: bool = False
    is_archived: bool = False
    person: str = ""
    is_ext_shared: bool = False

    @property
    def slash_name(self) -> str:
        """What a slash command calls it: the names of private channels are not given away."""
        if self.person:
            return "directmessage"
        return "privategroup" if self.is_private else self.name

    def info(self, viewer: str) -> dict[str, Any]:
        """The `channel` of conversations.info: https://docs.slack.dev/reference/objects/conversation-object"""
        if self.person:
            about = {"is_im": True, "is_org_shared": False, "is_user_deleted": False, "is_open": True}
            return {"id": self.id, "created": 1700000000, "user": self.person, "priority": 0, **about}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.id.startswith("G"),
            "is_group": self.id.startswith("G"),
            "is_im": False,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_archived": self.is_archived,
            "is_general": False,
            "is_shared": self.is_ext_shared,
            "is_ext_shared": self.is_ext_shared,
            "is_org_shared": False,
            "is_member": viewer in self.members,
            "created": 1700000000,
            "creator": U_LEE,
            "unlinked": 0,
            "context_team_id": TEAM_ID,
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "previous_names": [],
        }


def users() -> dict[str, User]:
    """Everybody: a developer, two approvers, an ordinary user, a guest, somebody who left, and the bot."""
    everybody = [
        User(U_DEV, "dana", "Dana Park", "Developer"),
        User(U_LEE, "lee", "Lee Jiwoo", "Platform engineer"),
        User(U_KIM, "kim", "Kim Minseo", "Platform engineer"),
        User(U_OUT, "omar", "Omar Haddad", "Support"),
        User(U_GUEST, "gina", "Gina Rossi", "Contractor", restricted=1),
        User(U_PARTNER, "petra", "Petra Novak", "Partner", team=PARTNER_TEAM),
        User("U0GONE001", "pat", "Pat Doe", deleted=True),
        User(U_BOT, "chatops", "ChatOps", is_bot=True),
        User(SLACKBOT, "slackbot", "Slackbot", is_bot=False),
    ]
    return {user.id: user for user in everybody}


def channels() -> dict[str, Channel]:
    """A channel with the bot, a public one without it, a private one without it, an archived one."""
    people = frozenset({U_DEV, U_LEE, U_KIM, U_OUT, U_GUEST})
    everything = [
        Channel(C_DEPLOY, "deployments", people | {U_BOT}),
        Channel(C_SHARED, "with-partners", people | {U_BOT, U_PARTNER}, is_ext_shared=True),
        Channel(C_PUBLIC, "random", people - {U_GUEST}),
        Channel(G_SECRET, "secret-project", frozenset({U_DEV, U_KIM}), is_private=True),
        Channel("C0OLD0001", "old-deployments", people | {U_BOT}, is_archived=True),
    ]
    return {channel.id: channel for channel in everything}


def direct(person: User) -> Channel:
    """The bot's direct messages with somebody."""
    members = frozenset({person.id, U_BOT})
    return Channel(f"D{person.id[1:]}", "", members, is_private=True, person=person.id)


def groups() -> dict[str, list[str]]:
    """User groups: @platform, whose members approve."""
    return {S_APPROVERS: [U_LEE, U_KIM]}
