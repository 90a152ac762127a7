"""A home for one measurement, so that it finds nothing of an earlier one, and touches no other."""

import os
import shutil
from pathlib import Path


def new_home(name: str) -> Path:
    """An empty folder in `.cache`, which is `$CHOTSO_HOME` from now on."""
    home = Path(".cache", name).absolute()
    shutil.rmtree(home, ignore_errors=True)
    os.environ["CHOTSO_HOME"] = str(home)
    return home
