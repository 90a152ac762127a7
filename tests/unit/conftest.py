"""Unit tests read the DAGs: Airflow must not find, nor make, a folder of its own in the home."""

import os
import tempfile

# Before the first import of Airflow, which reads it once.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="chotso-airflow-")
os.environ.setdefault("AIRFLOW__CORE__UNIT_TEST_MODE", "False")
