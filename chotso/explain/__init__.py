"""Why a figure is what it is: its items at an instant, and its change between two by cause."""

from chotso.explain.report import Explanation, explain

__all__ = ["Explanation", "explain"]
