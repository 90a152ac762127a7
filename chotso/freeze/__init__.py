"""Freezing: sealed releases that anyone can check without trusting us."""
