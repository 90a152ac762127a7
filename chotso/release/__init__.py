"""Releases: frozen and sealed figures that anyone can check without trusting us."""
