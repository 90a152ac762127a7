"""The command line `chotso`: thin calls of the functions that the DAGs call too."""

from chotso.cli.app import main

__all__ = ["main"]
