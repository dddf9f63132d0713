"""Tests of what target-pluvo does to people's accounts, in this process and without a network."""
