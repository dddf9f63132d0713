"""Pluvo, a learning management system, for Python programs: its GraphQL API, read completely."""

from pluvo_client.client import PluvoClient
from pluvo_client.errors import PluvoError
from pluvo_client.schema.documents import Enum

__all__ = ["Enum", "PluvoClient", "PluvoError"]
