"""ECS and CodeDeploy: what the service itself says, and what that means."""
