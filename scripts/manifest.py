"""make manifest STACK=name: the Slack app's manifest with this stack's addresses in it.

slack-manifest.yaml is the template. FORMAT=json prints JSON, and FORMAT=link the address at which Slack opens the form
of a new app with the manifest in it (https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests). URL=
names another request URL and asks nobody. Needs cloudformation:DescribeStacks.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from chatops.aws import error_code
from scripts import stack_state
from scripts.stack_parameters import Unusable, stack_name
from scripts.terminal import meaning

TEMPLATE = Path(__file__).resolve().parents[1] / "slack-manifest.yaml"
PLACEHOLDER = "https://YOUR-API-ID.execute-api.YOUR-REGION.amazonaws.com/prod/slack/events"
OUTPUT = "SlackRequestUrl"
NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_json="
FORMATS = ("yaml", "json", "link")


def manifest(url: str, form: str = "yaml") -> str:
    """The manifest for this request URL, as YAML (with the template's comments), JSON or Slack's link. Raises Unusable
    for an address that Slack would not take.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or any(each.isspace() for each in url):
        raise Unusable(f"{url!r} is no request URL: Slack wants https://… .")
    text = _without_instructions(TEMPLATE.read_text("utf-8")).replace(PLACEHOLDER, url)
    if form == "yaml":
        return text
    found: Any = yaml.safe_load(text)
    if form == "json":
        return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    return NEW_APP + quote(json.dumps(found, ensure_ascii=False, separators=(",", ":")), safe="") + "\n"


def _without_instructions(text: str) -> str:
    """Without the comment at the top, which says how to fill in what is filled in here."""
    lines = text.splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "".join(lines[first:])


def request_url(cloudformation: Any, name: str) -> str:
    """The stack's output. Raises Unusable where there is none, ClientError and BotoCoreError where AWS does not say."""
    stack = stack_state.describe(cloudformation, name)
    if url := stack.outputs.get(OUTPUT, ""):
        return url
    if stack.new:
        raise Unusable(f"There is no stack {name} in {stack.region}, in the account of your credentials: make install.")
    raise Unusable(f"The stack {name} has no output {OUTPUT}; is it this project's, and fully deployed?")


def main(arguments: list[str], env: Mapping[str, str] = os.environ) -> int:
    """Exit status 0 and the manifest on the standard output, or 1 and why not."""
    parser = argparse.ArgumentParser(prog="make manifest", description="The Slack app's manifest.")
    parser.add_argument("--stack", default="", help="name of the stack")
    parser.add_argument("--url", default="", help="this request URL instead of a stack's")
    parser.add_argument("--format", default="yaml", help=f"one of {', '.join(FORMATS)}")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.format not in FORMATS:
            raise Unusable(f"FORMAT should be one of {', '.join(FORMATS)}.")
        url = chosen.url or request_url(boto3.client("cloudformation"), chosen.stack or stack_name(env))
        print(manifest(url, chosen.format), end="")
    except Unusable as problem:
        print(problem, file=sys.stderr)
        return 1
    except (ClientError, BotoCoreError) as error:
        said = f"AWS does not show the stack ({error_code(error) or type(error).__name__})."
        print(meaning(error) or said, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
