"""A real Airflow on this machine, and its client."""
