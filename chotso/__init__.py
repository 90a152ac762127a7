"""chotso: nightly extracts in, attainment against plan out, figures frozen at the legal cutoff."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

try:
    __version__ = version("chotso")
except PackageNotFoundError:  # pragma: no cover - a checkout that was never installed
    __version__ = "0.0.0"

PROJECT_ROOT = Path(__file__).resolve().parent.parent
"""The checkout: `config/`, `expectations/` and `dbt_project/` are read from here."""
