"""Singer tap for Pluvo, a learning management system with a GraphQL API."""
