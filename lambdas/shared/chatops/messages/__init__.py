"""What people read: catalogues of texts, and pure builders from a deployment's facts to Slack blocks."""
