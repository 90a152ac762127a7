"""What the DAG files share: defaults, schedules, assets and the tasks of a night. No logic."""
