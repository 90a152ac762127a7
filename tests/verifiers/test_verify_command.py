"""The verifier as an auditor runs it: alone, isolated, from the bundle's own folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chotso.verifier import verify
from tests.worlds import bundles

SOURCE = Path(verify.__file__)


def run(*arguments: str, program: Path = SOURCE, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-I", str(program), *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
        env={"PATH": "/nowhere"} | environment, cwd="/",
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    files = dict(bundles.all_files()) | {"verify.py": SOURCE.read_bytes()}
    bundles.write(tmp_path / "bundle", files, bundles.manifest_of(files))
    return tmp_path / "bundle"


def root_of(bundle: Path) -> str:
    return bundles.sha256((bundle / "manifest.json").read_bytes())


def test_verified_is_exit_0(bundle: Path) -> None:
    status, out, err = run(str(bundle), "--anchor", root_of(bundle))
    assert (status, err) == (0, "")
    assert out.startswith("verified (đúng bản đã niêm phong): sprint-2021-q4\n")
    assert root_of(bundle) in out


def test_its_own_folder_is_the_default(bundle: Path) -> None:
    status, out, _ = run("--anchor", root_of(bundle), "--json", program=bundle / "verify.py")
    assert (status, json.loads(out)["path"]) == (0, str(bundle))
    assert not list(bundle.rglob("__pycache__"))


def test_unanchored_is_exit_1_and_says_what_to_do(bundle: Path) -> None:
    status, out, _ = run(str(bundle))
    assert status == 1
    assert out.startswith("unanchored")
    assert "--anchor" in out


def test_failed_is_exit_1_and_names_file_and_row(bundle: Path) -> None:
    path = bundle / "data/attainment.csv"
    path.write_bytes(path.read_bytes().replace(b"072,T", b"072,X"))
    status, out, _ = run(str(bundle), "--anchor", root_of(bundle), LC_ALL="C")
    assert status == 1
    assert "FINDING row: data/attainment.csv: row 2 is the first that differs" in out


def test_json_is_one_object_with_status_and_findings(bundle: Path) -> None:
    (bundle / "extra").write_bytes(b"")
    status, out, _ = run(str(bundle), "--json", "--anchor", root_of(bundle))
    result = json.loads(out)
    assert (status, result["status"], result["root"]) == (1, "failed", root_of(bundle))
    assert [(each["code"], each["path"]) for each in result["findings"]] == [("unlisted", "extra")]


def test_an_anchor_may_be_typed_off_a_page(bundle: Path) -> None:
    root = root_of(bundle).upper()
    spaced = " ".join(root[start : start + 8] for start in range(0, 64, 8))
    assert run(str(bundle), "--anchor", spaced)[0] == 0


@pytest.mark.parametrize("anchor", ["", "abc", "g" * 64, "a" * 65])
def test_what_is_no_anchor_is_wrong_usage(bundle: Path, anchor: str) -> None:
    status, out, err = run(str(bundle), "--anchor", anchor)
    assert (status, out) == (2, "")
    assert "64 hex digits" in err


def test_a_releases_folder_is_checked_as_a_chain(bundle: Path) -> None:
    releases = bundle.parent / "releases"
    root = bundles.make(releases / bundles.PERIOD)
    assert run(str(releases), "--anchor", root)[0] == 0
    assert run(str(releases), "--anchor", "0" * 64)[0] == 1


def test_it_imports_the_standard_library_alone() -> None:
    code = (
        "import runpy, sys; sys.argv = ['verify.py', '/nonexistent']\n"
        f"try: runpy.run_path({str(SOURCE)!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "['__main__']"
    text = SOURCE.read_text()
    assert not {"socket", "urllib", "http", "subprocess"} & {
        line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))
    }


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    small, large = (peak_kibibytes(tmp_path / str(rows), rows) for rows in (1_000, 200_000))
    assert large < small + 3_000  # the hashes of the leaves alone would take 12,800


def peak_kibibytes(folder: Path, rows: int) -> int:
    files = dict(bundles.all_files())
    files["data/attainment.csv"] = b"a,b,c\n" + b"".join(
        b"%07d,x,1234567\n" % number for number in range(rows)
    )
    del files["rows/attainment.txt"]
    manifest = bundles.manifest_of(files)
    next(e for e in manifest["files"] if e["path"] == "data/attainment.csv")["rows"] = rows
    root = bundles.write(folder, files, manifest)
    program = (
        f"import runpy, sys; sys.argv = ['verify.py', {str(folder)!r}, '--anchor', {root!r}]\n"
        f"try: runpy.run_path({str(SOURCE)!r}, run_name='__main__')\n"
        "except SystemExit as exit: assert not exit.code\n"
        "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')][0])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    return int(done.stdout.splitlines()[-1])
