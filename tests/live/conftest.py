"""One installation for all faults, with a real watch, an SMTP server and an HTTP receiver."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from chotso.folder import write_private
from chotso.local import airflow as local
from chotso.sandbox import server as sandbox
from tests.faults.small_disk import small_disk
from tests.live.installation import Installation
from tests.pipeline.running import home_folder, made
from tests.worlds.collector import collector
from tests.worlds.receivers import mailbox, webhook

DISK_MIB = 400
FIRST_DAY = date(2021, 12, 1)


@pytest.fixture(scope="module")
def live() -> Iterator[Installation]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        home, source_home = (stack.enter_context(home_folder()) for _ in range(2))
        mail_url, mails = stack.enter_context(mailbox())
        hook_url, posts = stack.enter_context(webhook())
        is_mounted = stack.enter_context(small_disk(home / "landing", DISK_MIB))
        told = stack.enter_context(collector())
        _set_variables(patch, home, mail_url, hook_url)
        stack.callback(sandbox.stop, source_home)
        source = sandbox.start(source_home)
        patch.setenv("CHOTSO_SOURCE_URL", source.source_url)
        stack.callback(sandbox.stop, home)
        server = replace(
            sandbox.start(home),
            source_url=source.source_url,
            source_admin_url=source.source_admin_url,
        )
        stack.callback(local.stop, home)
        installation = Installation(
            made(home, server, told),
            source_home,
            home / "landing" if is_mounted else None,
            mails,
            posts,
            FIRST_DAY,
        )
        stack.callback(installation.stop_watch)
        installation.start_watch()
        installation.night()
        yield installation


def _set_variables(patch: pytest.MonkeyPatch, home: Path, mail_url: str, hook_url: str) -> None:
    for name in [name for name in os.environ if name.startswith("CHOTSO_")]:
        patch.delenv(name)
    write_private(home / "routes", f"truc-mail {mail_url}\n")
    patch.setenv("CHOTSO_HOME", str(home))
    patch.setenv("CHOTSO_ALERT_ROUTES_FILE", str(home / "routes"))
    patch.setenv("CHOTSO_ALERT_WEBHOOK", hook_url)
