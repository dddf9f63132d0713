"""What the API has, how that differs from the documents, and what to ask it for."""
