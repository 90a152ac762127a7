"""From raw to what readers see: dbt builds into one schema, and one switch exposes it."""

from chotso.build.dbt import BuildReport, run_build
from chotso.build.expose import expose

__all__ = ["BuildReport", "expose", "run_build"]
