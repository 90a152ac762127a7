"""A container without an engine: this machine's files under an overlay, and namespaces of its own.

What `docker-compose.yml` says of mounts, user, rights and processes holds in it as it would there.
Only the network is one for all of them. It needs root, Linux and util-linux.
"""

import ctypes
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

USER = 1000  # CHOTSO_UID's default
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
# Process 1, as `init: true`: hands signals on, and takes the processes whose parents are gone.
_INIT = """
trap 'kill -TERM $child' TERM INT
"$@" &
child=$!
while kill -0 $child 2>/dev/null; do wait $child && status=0 || status=$?; done
exit $status
"""


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine inside a container; without one, memory (tmpfs)."""

    inside: Path
    outside: Path | None = None
    options: str = ""

    @cached_property
    def place(self) -> str:
        """Where it is inside, without links: `/var/run` is one to `/run`."""
        return os.path.realpath(self.inside)


@dataclass(frozen=True)
class Box:
    """What a container is made of.

    Attributes:
        name: The host name inside.
        hosts: Addresses by host name.
        user: User id; the group is 0, as in our image.
        prepared: Commands that make its user and folders.
        rights: Capabilities, for one who is root.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    mounts: Sequence[Mount]
    hosts: Mapping[str, str]
    user: int
    prepared: str
    folder: str
    rights: Sequence[str]
    is_read_only: bool

    def script(self) -> str:
        """The shell script that makes the container around itself and becomes its first process."""
        lines = [
            "set -eu",
            "lay=$1",  # an empty folder
            "mount -t tmpfs none $lay",
            "mkdir $lay/upper $lay/work $lay/root; root=$lay/root",
            "mount -t overlay none -o lowerdir=/,upperdir=$lay/upper,workdir=$lay/work $root",
            "mount -t proc proc $root/proc",
            "mount --rbind /dev $root/dev",
            f"printf %s {shlex.quote(self._hosts())} >$root/etc/hosts",
            f"awk -F: '$3 != {USER}' /etc/passwd >$root/etc/passwd",
            f"chroot $root sh -euc {shlex.quote(self.prepared)}",
        ]
        for mount in sorted(self.mounts, key=lambda mount: mount.place):
            lines += _mounting(mount)
        if self.is_read_only:
            lines.append("mount -o remount,ro $root")
        first = ["chroot", "$root", "sh", "-c", shlex.quote(_INIT), "init", *self.inside()]
        return "\n".join([*lines, f"hostname {self.name}", "exec " + " ".join(first)])

    def inside(self, command: Sequence[str] | None = None) -> list[str]:
        """A command (quoted for a shell) as the container's user, with its environment alone."""
        values = [f"{name}={value}" for name, value in self.environment.items()]
        started = f'cd {self.folder} && exec "$@"'
        rights = ",".join(["-all", *(f"+{right}" for right in self.rights)])
        return [
            *("setpriv", f"--reuid={self.user}", "--regid=0", "--clear-groups"),
            *(f"--bounding-set={rights}", "--inh-caps=-all", "--no-new-privs"),
            *("env", "-i", *map(shlex.quote, values)),
            *("sh", "-c", shlex.quote(started), "sh"),
            *map(shlex.quote, self.command if command is None else command),
        ]

    def _hosts(self) -> str:
        lines = [f"{address} {name}" for name, address in self.hosts.items()]
        return "\n".join(["127.0.0.1 localhost", *lines, ""])


def _mounting(mount: Mount) -> list[str]:
    inside = f"$root{shlex.quote(mount.place)}"
    if mount.outside is None:
        options = f"-o {mount.options}" if mount.options else ""
        return [f"mkdir -p {inside}", f"mount -t tmpfs none {options} {inside}"]
    outside = shlex.quote(str(mount.outside))
    make = "mkdir -p" if mount.outside.is_dir() else f"mkdir -p $(dirname {inside}); touch"
    lines = [f"{make} {inside}", f"mount --bind {outside} {inside}"]
    return [*lines, f"mount -o remount,bind,ro {inside}"] if mount.options == "ro" else lines


@dataclass(frozen=True)
class Container:
    """A running one; `process` has made its namespaces and waits for it."""

    box: Box
    process: subprocess.Popen[bytes]
    log: Path

    @staticmethod
    def start(box: Box, log: Path) -> "Container":
        """Start it, with what it prints in a log."""
        lay = log.with_suffix(".root")
        lay.mkdir(exist_ok=True)
        with log.open("ab") as sink:
            process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL"),
                    *("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child"),
                    *("sh", "-c", box.script(), "sh", str(lay)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Container(box, process, log)

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self.process.poll() is None

    def run(self, command: Sequence[str], timeout_s: float = 60) -> bool:
        """Run a command in it, as `docker exec` does; true if it succeeded."""
        first = self._first_process()
        if first is None or _is_of_this_machine(first):  # its script still makes mounts
            return False
        entered = [
            *("nsenter", f"--target={first}", "--mount", "--uts", "--pid", "--root", "--wdns=/"),
            *self.box.inside(command),
        ]
        with self.log.open("ab") as sink, suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                ["sh", "-c", " ".join(entered)],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
            )
            return done.returncode == 0
        return False

    def kill(self) -> None:
        """SIGKILL for every process in it, as `docker kill` does: with the first go all."""
        first = self._first_process()
        if first is not None:
            os.kill(first, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait(30)

    def text(self) -> str:
        """The end of what it printed."""
        return self.log.read_text("utf-8", errors="replace")[-4000:]

    def _first_process(self) -> int | None:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with suppress(OSError):  # it has ended
            return next(map(int, path.read_text().split()), None)
        return None


@contextmanager
def private_network() -> Iterator[None]:
    """This thread, and what it starts, alone with a loopback: every port is free there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as before:
        _done(libc.unshare(_NEW_NETWORK))
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            _done(libc.setns(before.fileno(), _NEW_NETWORK))


def _is_of_this_machine(pid: int) -> bool:
    with suppress(OSError):
        return os.stat(f"/proc/{pid}/root").st_dev == os.stat("/").st_dev
    return True


def _done(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
