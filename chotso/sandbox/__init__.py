"""The embedded default: our own PostgreSQL 18, and an invented province as its data."""
