"""Receive Pluvo's webhooks and keep them in an inbox, from which the tap reads what changed."""
