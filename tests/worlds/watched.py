"""The environment of an operator's shell for a world."""

import os

from tests.worlds.quarantine_world import QuarantineWorld


def environment(world: QuarantineWorld) -> dict[str, str]:
    """The variables that `chotso` reads, for this world's databases and folders."""
    settings = world.settings
    return os.environ | {
        "CHOTSO_HOME": str(settings.home),
        "CHOTSO_WAREHOUSE_URL": settings.warehouse_url,
        "CHOTSO_SOURCE_URL": settings.source_url,
        "CHOTSO_DROP_URL": settings.drop_url,
        "CHOTSO_LANDING_URL": settings.landing_url,
        "CHOTSO_RELEASES_DIR": str(settings.releases_dir),
        "CHOTSO_PSEUDONYM_KEY_FILE": str(settings.pseudonym_key_file),
    }
