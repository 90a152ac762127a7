"""Unit tests read the DAGs: Airflow must not find, nor make, a folder of its own in the home."""

import atexit
import os
import shutil
import tempfile

# Before the first import of Airflow, which reads it once.
_folder = tempfile.mkdtemp(prefix="chotso-airflow-")
os.environ["AIRFLOW_HOME"] = _folder
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
