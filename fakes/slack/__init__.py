"""A fake for Slack: the Web API a deploy bot uses, its people, and a client that sends what it sends."""

from fakes.slack.client import Answer, SlackUser
from fakes.slack.server import Slack
from fakes.slack.store import Button, Change, Message, View

__all__ = ["Answer", "Button", "Change", "Message", "Slack", "SlackUser", "View"]
