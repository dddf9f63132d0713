"""Reading in parallel and completely, even while rows come, go and move."""
