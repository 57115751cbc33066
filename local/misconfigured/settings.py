"""Settings that are missing, or hold something else than they should."""

from __future__ import annotations

from local.misconfigured.fault import Fault, sets

CONFIGURATION = "configuration"

SETTINGS = (
    Fault("no-signing-secret", CONFIGURATION, "SLACK_SIGNING_SECRET is not set", sets(SLACK_SIGNING_SECRET="")),
    Fault(
        "signing-secret-is-a-token", CONFIGURATION, "SLACK_SIGNING_SECRET holds", sets(SLACK_SIGNING_SECRET="xoxb-1")
    ),
    Fault("no-bot-token", CONFIGURATION, "SLACK_BOT_TOKEN is not set", sets(SLACK_BOT_TOKEN="")),
    Fault("bot-token-is-a-users", CONFIGURATION, "begins with xoxb-", sets(SLACK_BOT_TOKEN="xoxp-of-a-user")),
    Fault("no-github-token", CONFIGURATION, "GITHUB_PERSONAL", sets(GITHUB_PERSONAL_ACCESS_TOKEN="")),
    Fault("github-token-broken-in-two", CONFIGURATION, "blank", sets(GITHUB_PERSONAL_ACCESS_TOKEN="ghp_lo cal")),
    Fault("app-without-key", CONFIGURATION, "GITHUB_APP_PRIVATE_KEY is not set", sets(GITHUB_APP_ID="987654")),
    Fault("app-id-is-a-name", CONFIGURATION, "GITHUB_APP_ID is 'my app'", sets(GITHUB_APP_ID="my app")),
    Fault("unknown-language", CONFIGURATION, "CHATOPS_LANG is 'fr'", sets(CHATOPS_LANG="fr")),
    Fault("channel-by-name", CONFIGURATION, "SLACK_CHANNEL_ID is '#dep", sets(SLACK_CHANNEL_ID="#deployments")),
    Fault("approver-by-name", CONFIGURATION, "SLACK_APPROVERS has '@lee'", sets(SLACK_APPROVERS="@lee")),
    Fault("approval-is-maybe", CONFIGURATION, "DEPLOY_APPROVAL_REQUIRED", sets(DEPLOY_APPROVAL_REQUIRED="maybe")),
)
