"""The command line `chotso`: it calls the same functions as the DAGs."""

from chotso.cli.app import main

__all__ = ["main"]
