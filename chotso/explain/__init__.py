"""Explains a figure: its items at an instant, and its change between two instants by cause."""

from chotso.explain.report import Explanation, explain

__all__ = ["Explanation", "explain"]
