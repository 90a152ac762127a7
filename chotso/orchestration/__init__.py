"""What the DAGs call: steps of a night, deadlines, retries and alerts."""
