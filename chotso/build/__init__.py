"""Builds the marts: dbt builds into one schema, then one transaction shows it to readers."""

from chotso.build.dbt import BuildReport, configuration_at, run_build
from chotso.build.expose import expose

__all__ = ["BuildReport", "configuration_at", "expose", "run_build"]
