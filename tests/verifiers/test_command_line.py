"""One command line for both: what they are asked, what they answer, and what cannot fool them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chotso.cli import app
from chotso.verifier import verify
from tests.verifiers import signed
from tests.verifiers.both import SCRIPT, node
from tests.worlds import bundles

PYTHON = [sys.executable, "-I", verify.__file__]
PROGRAMS = {"python": PYTHON, "node": [node(), str(SCRIPT)]}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    bundles.make(tmp_path / "b")
    return tmp_path / "b"


def root_of(bundle: Path) -> str:
    return bundles.sha256((bundle / "manifest.json").read_bytes())


def run(
    program: list[str],
    *words: str | Path,
    cwd: Path | str | None = None,
    env: dict[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*program, *words], capture_output=True, encoding="utf-8", check=False, cwd=cwd, env=env
    )


def in_fours(root: str, blank: str) -> str:
    return blank.join(root[at : at + 4] for at in range(0, 64, 4))


@pytest.mark.parametrize("name", PROGRAMS)
def test_anchors_as_people_type_and_paste_them(bundle: Path, name: str) -> None:
    root = root_of(bundle)
    blanks = [" ", "\u00a0", "\n", "\r\n\t", "\u202f", "\u2009", "\u200b", "\ufeff", "\u3000",
              "\u2060", "\u00ad", "\x85", "\x0b", "\u2028", "\u180e", "\u200e"]  # fmt: skip
    every = "".join(blanks)
    spelled = [
        root.upper(),
        in_fours(root.upper(), "\u00a0"),
        every + in_fours(root, every) + every,
    ]
    for anchor, words in zip(spelled, (["--anchor"], ["--anchor"], []), strict=True):
        option = [*words, anchor] if words else [f"--anchor={anchor}"]
        assert run(PROGRAMS[name], bundle, *option).returncode == 0, option
    assert run(PROGRAMS[name], "--json", f"--anchor={root}", bundle).returncode == 0


WRONG = [
    ["--anchor", ""], ["--anchor="], ["--anchor"], ["--anchor", " "], ["--anchor", "ab"],
    ["--anchor", "\uff10" * 64], ["--anchor", "\u0130" * 64], ["--anchor", "g" * 64],
    ["--anchor", "0" * 65], ["--anchor", "0x" + "0" * 62], ["--anchor", "0-" * 64],
    ["--anchor", "0" * 64, "--anchor", "0" * 64], ["--anchor", "--json"], ["--anchors", "0" * 64],
    ["--anc", "0" * 64], ["-a", "0" * 64], ["-h"], ["--help"], ["--version"], ["--"], ["-"],
    ["--JSON"], ["--json=1"], ["--deep"], ["--batch"], ["second"], [""],
]  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_wrong_usage_is_status_2_and_no_verdict(
    bundle: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = verify.main([str(bundle), *words])
    told = capsys.readouterr()
    other = run(PROGRAMS["node"], bundle, *words)
    assert (status, told.out) == (other.returncode, other.stdout) == (2, "")
    assert "usage" in told.err
    assert "usage" in other.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_a_folder_it_is_the_verifier_s_own(bundle: Path, name: str, tmp_path: Path) -> None:
    source = Path(PROGRAMS[name][-1])
    own = bundle / source.name
    own.write_bytes(source.read_bytes())
    done = run([*PROGRAMS[name][:-1], str(own)], cwd="/")
    assert str(bundle) in done.stdout
    assert run(PROGRAMS[name], "", cwd=tmp_path).returncode == 2


def test_statuses_and_the_folder_that_was_checked(bundle: Path) -> None:
    root = root_of(bundle)
    for name, program in PROGRAMS.items():
        done = run(program, "b", "--anchor", root, cwd=bundle.parent)
        assert done.returncode == 0
        for told in ("verified", str(bundle), bundles.PERIOD, "2021-12-31T10:00:00.000000Z", root):
            assert told in done.stdout, name
        assert run(program, bundle).returncode == 1
        assert run(program, bundle, "--anchor", "0" * 64).returncode == 1
        assert run(program, bundle / "nothing", "--anchor", root).returncode == 1
        assert run(program, f"{bundle}/", "--json", "--anchor", root).stdout.isascii()


def test_a_superseded_original_is_told_with_what_supersedes_it(tmp_path: Path) -> None:
    first = bundles.make(tmp_path / bundles.PERIOD)
    c1: dict[str, object] = {"kind": "corrigendum", "release_id": f"{bundles.PERIOD}-c1"}
    said = bundles.correction(first)
    newest = bundles.make(
        tmp_path / f"{bundles.PERIOD}-c1", **c1, corrects=bundles.PERIOD, previous_root=first,
        correction=said,
    )  # fmt: skip
    for program in PROGRAMS.values():
        done = run(program, tmp_path, "--anchor", newest)
        assert done.returncode == 0
        assert f"(superseded): {bundles.PERIOD} → {bundles.PERIOD}-c1" in done.stdout
        told = json.loads(run(program, tmp_path, "--anchor", newest, "--json").stdout)
        assert told["superseded"] == {bundles.PERIOD: f"{bundles.PERIOD}-c1"}
        alone = run(program, tmp_path / bundles.PERIOD, "--anchor", first).stdout
        assert "a later release may correct this one" in alone


CLEARS = "\x1b[2J\x1b[Hverified\nroot 0"
NAMES = [CLEARS, "\x9b2Jx", "\u202etxt.exe", "a\u200bb", "\u2066x", "\x7f", "\U000e0041", "\xadx"]


def test_names_cannot_command_the_terminal(bundle: Path, tmp_path: Path) -> None:
    for name in NAMES:
        (bundle / name).write_bytes(b"")
        (bundle / f"{name}-folder").mkdir()
    os.mkdir(os.fsencode(bundle) + b"/\xe2\x1b[2J")
    odd = tmp_path / CLEARS.replace("\n", "\r")
    bundle.rename(odd)
    for program in PROGRAMS.values():
        done = run(program, odd)
        told = done.stdout.replace("\n", "")
        assert not verify.UNSEEN.search(told), program
        assert "<U+001B>[2J" in told
        assert "<U+202E>txt.exe" in told
        assert done.stdout.startswith("failed")
        assert "\nverified" not in done.stdout
        assert run(program, odd, "--json").stdout.isascii()
        assert not verify.UNSEEN.search(run(program, odd, CLEARS).stderr.replace("\n", ""))


PLANTED = "import sys\nprint('verified: by a forger')\nsys.exit(0)\n"
MODULES = ["json", "hashlib", "re", "os", "stat", "typing", "dataclasses", "unicodedata", "pathlib",
           "sitecustomize", "usercustomize", "__future__", "argparse", "codecs"]  # fmt: skip


def test_planted_modules_are_not_taken(bundle: Path) -> None:
    """Run with -I none is; without it nothing is checked at all, whatever lies there."""
    own = bundle / "verify.py"
    own.write_bytes(Path(verify.__file__).read_bytes())
    for name in MODULES:
        (bundle / f"{name}.py").write_text(PLANTED)
    (bundle / "x.pth").write_text("import sys; print('verified: by a forger')\n")
    done = run([sys.executable, "-I", str(own)], cwd=bundle)
    assert "forger" not in done.stdout
    assert done.returncode == 1
    for options in ([], ["-s"], ["-E"], ["-P"], ["-B"]):
        done = run([sys.executable, *options, str(own)], cwd=bundle, env={})
        assert (done.returncode, done.stdout) == (2, ""), options
        assert "-I" in done.stderr
    # a path that leads here is followed before any program begins: not to a verdict, though
    done = run([sys.executable, str(own)], cwd=bundle, env={"PYTHONPATH": str(bundle)})
    assert done.returncode != 0


def test_the_naive_way_takes_them(bundle: Path) -> None:
    """The twin: an import before the look at -I."""
    (bundle / "naive.py").write_text("import json\nimport sys\nsys.exit(1)\n")
    (bundle / "json.py").write_text(PLANTED)
    done = run([sys.executable, str(bundle / "naive.py")], cwd=bundle)
    assert (done.returncode, "forger" in done.stdout) == (0, True)


def test_node_takes_nothing_from_the_folder(bundle: Path) -> None:
    own = bundle / "verify.mjs"
    own.write_bytes(SCRIPT.read_bytes())
    planted = "console.log('verified: by a forger'); process.exit(0);\n"
    (bundle / "package.json").write_text('{"type":"commonjs","imports":{"#x":"./x.js"}}')
    for name in ("node:fs", "fs.js", "crypto.js", "index.js"):
        (bundle / name).write_text(planted)
    (bundle / "node_modules/fs").mkdir(parents=True)
    (bundle / "node_modules/fs/index.js").write_text(planted)
    done = run([node(), str(own)], cwd=bundle, env={"NODE_PATH": str(bundle)})
    assert (done.returncode, "forger" in done.stdout) == (1, False)
    (bundle / "quiet.cjs").write_text("")
    for options in ("--require ./quiet.cjs", "-r ./quiet.cjs", "--import=./quiet.cjs"):
        done = run([node(), str(own)], cwd=bundle, env={"NODE_OPTIONS": options})
        assert (done.returncode, done.stdout) == (2, "")
        done = run([node(), *options.split(" "), str(own)], cwd=bundle)
        assert (done.returncode, done.stdout) == (2, "")
    done = run([node(), str(own)], env={"NODE_OPTIONS": "--max-old-space-size=100"})
    assert done.returncode == 1


def test_certified_releases_are_told(tmp_path: Path) -> None:
    root = signed.make(tmp_path / "b")
    for signer in ("an", "binh"):
        signed.certify(tmp_path / "b", signed.certification(root, signer))
    for program in PROGRAMS.values():
        assert "an, binh" in run(program, tmp_path / "b", "--anchor", root).stdout


def test_chotso_verify_answers_likewise(bundle: Path) -> None:
    """`chotso verify` reads anchors and shows names by the same rules."""
    root = root_of(bundle)
    call = CliRunner().invoke
    assert call(app.app, ["verify", str(bundle), f"--anchor={in_fours(root, ' ')}"]).exit_code == 0
    for anchor in ("", " ", "ab", "\uff10" * 64):
        done = call(app.app, ["verify", str(bundle), "--anchor", anchor])
        assert (done.exit_code, "verified" in done.output) == (2, False), anchor
    (bundle / CLEARS).write_bytes(b"")
    told = call(app.app, ["verify", str(bundle), "--anchor", root]).output
    assert told.startswith("failed")
    assert "<U+001B>[2J" in told
    assert str(bundle) in told
    assert not verify.UNSEEN.search(told.replace("\n", ""))
    assert "\\u001b" in call(app.app, ["verify", str(bundle), "--json"]).output
