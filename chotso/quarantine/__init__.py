"""Quarantine for people: what is set aside, judging it again, waiving it, and what is at stake."""
