"""What this project's Singer programs share: messages, values, rejected rows, the ledger."""
