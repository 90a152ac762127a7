"""Releases: frozen, sealed, checked by anyone without trusting us."""
