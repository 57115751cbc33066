"""Installations that somebody got wrong, each by its name: what `make doctor LOCAL=1 FAULT=name` switches on."""

from local.misconfigured.fault import Fault
from local.misconfigured.on_aws import ON_AWS
from local.misconfigured.on_github import ON_GITHUB
from local.misconfigured.on_slack import ON_SLACK
from local.misconfigured.settings import SETTINGS
from local.misconfigured.workflows import WORKFLOWS

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*SETTINGS, *ON_AWS, *ON_SLACK, *ON_GITHUB, *WORKFLOWS)}

__all__ = ["FAULTS", "Fault"]
