"""Verifiers with one check taken out, and the tests run against one of them.

`python -m tests.verifiers.weakened NUMBER` exits with pytest's status: 1 where a test noticed.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from chotso.verifier import verify

TESTS = [
    "tests/verifiers/test_verify_bundle.py",
    "tests/verifiers/test_verify_chain.py",
    "tests/verifiers/test_verify_certifications.py",
    "tests/verifiers/test_certifications.py",
    "tests/verifiers/test_gaps.py",
    "tests/verifiers/test_twenty_releases.py",
    "tests/verifiers/test_bounds.py",
    "tests/verifiers/test_command_line.py",
]
_REFUSALS = {  # by function, how a returned refusal begins
    "is_signed": ("return False",),
    "_decoded": ("return None",),
    "_certification_problem": ("return '", 'return "', "return f'", 'return f"'),
}
_FAILING = ("result.fail(", "fail(", "self._result.fail(", "one.fail(")
_RAISING = {
    "_without_duplicates", "_no_number", "_is_normalised", "_is_text_normalised", "_open",
    "_holds_a_file", "_names_in", "read_anchor", "_options",
}  # fmt: skip


def checks(tree: ast.Module) -> list[tuple[int, str]]:
    """Place and text of every check: a finding made, a problem told, a refusal returned."""
    return sorted(set(_found(tree)))  # what stands in a nested function is found twice


def _found(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for statement in ast.walk(function):
            if isinstance(statement, ast.stmt) and _is_check(statement, function.name):
                yield statement.lineno, ast.unparse(statement).splitlines()[0]


def _is_check(statement: ast.stmt, function: str) -> bool:
    text = ast.unparse(statement)
    if isinstance(statement, ast.Expr):
        is_call = isinstance(statement.value, ast.Call)
        if is_call and text.startswith(_FAILING):
            return True
        return isinstance(statement.value, ast.Yield) and function.endswith("_problems")
    if isinstance(statement, ast.Return):
        return text.startswith(_REFUSALS.get(function, ("never",)))
    return isinstance(statement, ast.Raise) and function in _RAISING


class _Remove(ast.NodeTransformer):
    def __init__(self, line: int, text: str) -> None:
        self._wanted = (line, text)
        self.removed = 0

    def visit(self, node: ast.AST) -> ast.AST:
        text = ast.unparse(node).splitlines()[:1] if isinstance(node, ast.stmt) else []
        if isinstance(node, ast.stmt) and (node.lineno, *text) == self._wanted:
            self.removed += 1
            return ast.copy_location(ast.parse("pass").body[0], node)
        return self.generic_visit(node)


def source() -> ast.Module:
    return ast.parse(Path(verify.__file__).read_text("utf-8"))


def weakened(number: int) -> str:
    """The verifier's source without its check of this number; a comment says which."""
    tree = source()
    line, text = checks(tree)[number]
    remover = _Remove(line, text)
    left = ast.fix_missing_locations(remover.visit(tree))
    assert remover.removed == 1
    for function in ast.walk(left):
        if isinstance(function, ast.FunctionDef) and function.name.endswith("_problems"):
            function.body.append(ast.parse("yield from ()").body[0])
    return ast.unparse(ast.fix_missing_locations(left))


def install(code: str) -> None:
    """Put this source in the verifier's place, for every later import."""
    for name in [
        each for each in sys.modules if each.startswith(("chotso.verifier", "chotso.release"))
    ]:
        del sys.modules[name]
    import chotso.verifier

    place = Path(verify.__file__)
    spec = importlib.util.spec_from_file_location("chotso.verifier.verify", place)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["chotso.verifier.verify"] = module
    exec(compile(code, str(place), "exec"), module.__dict__)
    chotso.verifier.verify = module  # type: ignore[assignment, unused-ignore]


def main() -> int:
    import pytest

    install(weakened(int(sys.argv[1])))
    options = ["-x", "-q", "--no-header", "-p", "no:randomly"]
    return int(pytest.main([*options, *TESTS]))


if __name__ == "__main__":
    sys.exit(main())
