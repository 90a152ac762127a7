"""Backups of the server, the landing archive and the releases, and how they come back."""
