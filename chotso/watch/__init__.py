"""The watch: what is wrong now by the ledger and the clocks, and who was told of it.

It does not depend on Airflow. `judge` finds what is wrong, `incidents` keeps one row per cause and
night in `ops.incident`, `routes` tells people.
"""
