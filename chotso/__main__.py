"""`python -m chotso`."""

from chotso.cli import main

main()
