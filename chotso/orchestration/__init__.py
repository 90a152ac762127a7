"""Running the DAGs: a local Airflow, its REST API, what a task may retry, and where alerts go."""
