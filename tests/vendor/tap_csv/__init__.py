"""Tap-csv."""
