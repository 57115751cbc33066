"""The platforms that deployments go to: what each says of its targets, and how it puts a release back."""
