"""From raw to what readers see: dbt builds into one schema, and one switch exposes the build."""

from chotso.build.dbt import BuildReport, configuration_at, run_build
from chotso.build.expose import expose

__all__ = ["BuildReport", "configuration_at", "expose", "run_build"]
