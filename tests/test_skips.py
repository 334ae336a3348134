"""Skips that `make test` takes for failures, and those it takes for skips."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_runs():
    pass

def test_misses_a_browser():
    pytest.skip("no chromium here")

def test_misses_a_peer():
    pytest.importorskip("no_such_library")

def test_does_not_apply():
    pytest.skip("has no window")

@pytest.mark.skipif(True, reason="no links, no pipes")
def test_of_another_system():
    pass

@pytest.mark.xfail(raises=ValueError)
def test_is_known_to_fail():
    raise ValueError
"""
MODULE = 'import pytest\n\npytest.importorskip("no_such_library")\n'


@pytest.mark.parametrize(
    ("must", "counts"),
    [
        ("1", "2 failed, 1 passed, 2 skipped, 1 xfailed, 1 error"),
        ("", "1 passed, 5 skipped, 1 xfailed"),
    ],
)
def test_a_skip_that_must_not_be_fails(must, counts, tmp_path, monkeypatch):
    shutil.copy(Path(__file__).parent / "conftest.py", tmp_path)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_module.py").write_text(MODULE)
    monkeypatch.setenv("NETWRIGHT_MUST_RUN", must)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."]
    command += ["--continue-on-collection-errors", "-p", "no:xdist"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.splitlines()[-1].startswith(counts)
    if must:
        assert "test_some.py::test_misses_a_browser was skipped (no chromium here)" in done.stdout
