"""A Singer target that issues certificates in Thought Industries, each exactly once."""
