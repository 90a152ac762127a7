"""Roles of the people who use Airflow, and its first user (docs/production.md).

Watcher sees. Operator runs every DAG but those that seal and check; Sealer runs these alone. May be
run again: it adds what is missing, and leaves users as they are.

    roles.py PASSWORD_FILE      the password of `admin`, for the time when nobody has the role Admin
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.providers.fab.auth_manager.security_manager.override import (
    FabAirflowSecurityManagerOverride,
)
from airflow.providers.fab.www.security import permissions as known

DAGS = "/opt/chotso/dags"
SEALING = {"freeze_results", "verify_releases"}
ADMIN = "admin"
Permission = tuple[str, str]

# On the runs and tasks of DAGs that one may edit; Airflow asks for both.
RUNS: list[Permission] = [
    (action, resource)
    for action in (known.ACTION_CAN_CREATE, known.ACTION_CAN_EDIT)
    for resource in (known.RESOURCE_DAG_RUN, known.RESOURCE_TASK_INSTANCE)
]


def roles(sees: list[Permission], dag_ids: Iterable[str]) -> dict[str, list[Permission]]:
    """The permissions of each role.

    Args:
        sees: What a viewer has.
        dag_ids: All DAGs.
    """

    def runs(chosen: Iterable[str]) -> list[Permission]:
        edits = [
            (known.ACTION_CAN_EDIT, known.resource_name(dag_id, known.RESOURCE_DAG))
            for dag_id in sorted(chosen)
        ]
        return [*sees, *RUNS, *edits]

    return {
        "Watcher": sees,
        "Operator": runs(set(dag_ids) - SEALING),
        "Sealer": runs(SEALING),
    }


def read_dag_ids(folder: str) -> list[str]:
    """All DAGs of a folder; ends with a reason if one cannot be read."""
    sys.path.insert(0, folder)  # as Airflow does
    bag = DagBag(dag_folder=folder, safe_mode=True, bundle_path=Path(folder))
    if bag.import_errors or not bag.dag_ids:
        sys.exit(f"no roles were made, for the DAGs cannot be read: {bag.import_errors}")
    return bag.dag_ids


def add_first_admin(manager: FabAirflowSecurityManagerOverride, password: str) -> None:
    """Make the user `admin`, unless somebody has that role already."""
    role = manager.find_role("Admin")
    if role is None:
        sys.exit("no user was made: Airflow's own roles are not there. Next: airflow db migrate.")
    if any(role in user.roles for user in manager.get_all_users()):
        return
    made = manager.add_user(ADMIN, "Admin", "Airflow", f"{ADMIN}@localhost", role, password)
    if not made:
        sys.exit(f"the user {ADMIN} was not made; the reason stands above.")


def main(password_file: Path, folder: str = DAGS) -> None:
    """Make roles and the first user in the database of this Airflow."""
    dag_ids = read_dag_ids(folder)
    with get_application_builder() as appbuilder:
        wanted = roles(appbuilder.sm.VIEWER_PERMISSIONS, dag_ids)
        for _, resource in {each for some in wanted.values() for each in some}:
            appbuilder.sm.create_resource(resource)
        appbuilder.sm.bulk_sync_roles(
            [{"role": role, "perms": perms} for role, perms in wanted.items()]
        )
        add_first_admin(appbuilder.sm, password_file.read_text("utf-8").strip())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
