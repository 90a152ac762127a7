"""Quarantine for people: list rows set aside, judge them again, waive them, money at stake."""
