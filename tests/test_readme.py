"""What the README says is what happens."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import netwright as nw
from netwright.cli import COMMANDS, main

README = (Path(__file__).parents[1] / "README.md").read_text()
CODE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_examples_print_what_their_comments_say() -> None:
    pytest.importorskip("sympy")
    assert len(CODE) == 6
    names: dict[str, object] = {}
    for code in CODE:
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            exec(code, names)
        promised = re.findall(r"^print\(.*\n# (.*)$", code, re.MULTILINE)
        assert promised
        assert told.getvalue().splitlines()[: len(promised)] == promised


def test_commands_about_nets_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    about = "nets|show|summary|compare|rewrite|diff|formula|advise|scale|check|source"
    commands = re.findall(rf"^netwright ((?:{about}) .*)$", README, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        with pytest.raises(SystemExit) as stop:
            main(shlex.split(command))
        assert not stop.value.code, command
        assert capsys.readouterr().out, command


def test_names_are_there_at_once() -> None:
    """Each in a process that has asked for no other."""
    names = sorted({*re.findall(r"\bnw(?:\.\w+){2,}", README)})
    assert {"nw.train.resume", "nw.weights.known"} <= {*names}
    code = "import sys, netwright as nw\nfor name in sys.argv[1:]: eval(name)"
    for name in names:
        subprocess.run([sys.executable, "-c", code, name], check=True)


def test_commands_and_nets_exist() -> None:
    for command in re.findall(r"^netwright (\w+)", README, re.MULTILINE):
        assert command in COMMANDS
    for name in re.findall(r"\b(?:resnet|densenet|mobilenet_v)\d+\b", README):
        assert name in nw.nets()
