"""How to reach an organization: the settings, their JSON Schema, and what is wrong with a value."""

from pluvo_client.settings.checks import problems
from pluvo_client.settings.schema import CONNECTION, MAX_PAGE_SIZE, SCOPES, setting
from pluvo_client.settings.settings import ClientSettings, base_url

__all__ = [
    "CONNECTION",
    "MAX_PAGE_SIZE",
    "SCOPES",
    "ClientSettings",
    "base_url",
    "problems",
    "setting",
]
