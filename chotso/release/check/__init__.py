"""Releases against what readers see, and against the landing archive."""
