"""The local page: a Slack-like channel and the execution behind it, for a browser on this machine."""
