"""The environment, the secrets and `targets.yaml`: typed, checked, every fault reported at once."""
