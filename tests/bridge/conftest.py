"""Tests of issuing certificates in Thought Industries, in this process and without a network."""
