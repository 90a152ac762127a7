"""The embedded default: a PostgreSQL 18 of one's own, and the invented province that fills it."""
