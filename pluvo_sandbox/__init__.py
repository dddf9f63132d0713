"""A local Pluvo: the API of `schemas/pluvo.graphql` over real HTTP, with real OAuth and made-up data."""
