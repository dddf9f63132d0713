"""HTTP to one organization: connections, rate limit, retries, and the token."""
