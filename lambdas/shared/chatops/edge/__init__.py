"""The Slack edge: verify, then answer within three seconds."""
