"""Compares releases with what readers see, and with a rebuild from the landing archive."""
