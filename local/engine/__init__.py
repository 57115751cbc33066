"""AWS Step Functions, DynamoDB and Secrets Manager inside this process: moto, corrected where it differs
from AWS.
"""

from local.engine.server import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
