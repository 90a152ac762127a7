"""The command line `chotso`: it calls the same functions as the DAGs."""

import gc

__all__ = ["main"]

# Libraries make a million objects that stay. Python's search for reference cycles among them, after
# every 700 new ones, took an eighth of a command's time.
_OBJECTS_BETWEEN_SEARCHES = 50_000


def main() -> None:
    """Run the command line; exit status 0 done, 1 refused or failed, 2 wrong usage."""
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES)
    from chotso.cli.app import main as run

    run()
