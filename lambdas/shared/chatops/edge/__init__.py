"""The Slack edge: verify, answer within three seconds, import next to nothing before the signature holds."""
