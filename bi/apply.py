"""Brings Superset to what this folder says; run by Superset's own Python, safe to repeat.

    CHOTSO_BI_HOME=… PYTHONPATH=bi SUPERSET_CONFIG_PATH=bi/superset_config.py python bi/apply.py

1. Superset's database is upgraded, and its own roles are made.
2. Users of `users.yml` that are missing are made, with a password drawn at random. Those that we
   made get the roles that stand there now; ours are known by their address, `<user>@localhost`.
3. The YAML is imported over what stands there. What we no longer have is deleted; ours are known by
   `is_managed_externally`, so nothing that people made is touched.
4. Our roles get their schemas, our dashboards their roles.
"""

import os
import secrets
from pathlib import Path
from typing import Any

import warehouse_logins
import yaml

HERE = Path(__file__).resolve().parent
FOLDERS = ("databases", "datasets", "charts", "dashboards")


def contents() -> dict[str, str]:
    """The YAML as Superset's importer takes it: path to text."""
    found = {"metadata.yaml": (HERE / "metadata.yaml").read_text(encoding="utf-8")}
    for folder in FOLDERS:
        for path in sorted((HERE / folder).rglob("*.yaml")):
            found[str(path.relative_to(HERE))] = path.read_text(encoding="utf-8")
    return found


def upgrade() -> None:
    """Superset's own tables and roles, as `superset db upgrade` and `superset init`."""
    from flask_migrate import upgrade as upgrade_tables
    from superset import appbuilder, security_manager

    upgrade_tables()
    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()


def make_users() -> None:
    """Make the users that are missing, and give ours the roles of the file.

    Passwords of new ones are added to `passwords.txt`.
    """
    from superset import db, security_manager

    path = warehouse_logins.home() / "passwords.txt"
    for entry in yaml.safe_load((warehouse_logins.home() / "users.yml").read_text("utf-8")):
        roles = [security_manager.add_role(name) for name in entry["roles"]]
        user = security_manager.find_user(username=entry["user"])
        address = f"{entry['user']}@localhost"
        if user is not None:
            if user.email == address:
                user.roles = roles
                db.session.commit()
            continue
        password = secrets.token_urlsafe(15)
        security_manager.add_user(entry["user"], entry["name"], "", address, roles, password)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
            stream.write(f"{entry['user']}\t{password}\n")


def import_ours(texts: dict[str, str]) -> None:
    """Import every file over what has its UUID, and delete what is ours and no longer here."""
    from superset import db
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    ImportAssetsCommand(texts).run()
    uuids = {
        str(found["uuid"])
        for name, text in texts.items()
        if "uuid" in (found := yaml.safe_load(text)) and not name.startswith("databases/")
    }
    for kind in (Dashboard, Slice, SqlaTable):
        for item in db.session.query(kind).filter(kind.is_managed_externally.is_(True)):
            if str(item.uuid) not in uuids:
                db.session.delete(item)
    db.session.commit()


def settle_roles(settings: dict[str, Any]) -> None:
    """Give our roles their schemas and our dashboards the roles that alone open them."""
    from superset import db, security_manager
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard

    ours = db.session.query(SqlaTable).filter(SqlaTable.is_managed_externally.is_(True)).all()
    for entry in settings["roles"]:
        role = security_manager.add_role(entry["name"])
        # As Superset names it: with or without the database's own name.
        names = {table.schema_perm for table in ours if table.schema in entry["schemas"]}
        role.permissions = [
            security_manager.add_permission_view_menu("schema_access", name)
            for name in sorted(names)
        ]
    for slug, names in settings["dashboards"].items():
        dashboard = db.session.query(Dashboard).filter_by(slug=slug).one()
        dashboard.roles = [security_manager.find_role(name) for name in names]
    db.session.commit()


def main() -> None:
    """Do all of it as the administrator."""
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        from superset import security_manager
        from superset.utils.core import override_user

        upgrade()
        make_users()
        with override_user(security_manager.find_user(username="admin")):
            import_ours(contents())
            settle_roles(yaml.safe_load((HERE / "roles.yml").read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
