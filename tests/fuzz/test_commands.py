"""Command lines that nobody would write, and every command on every net: an answer, or one line
and exit code 2; never a traceback.
"""

from __future__ import annotations

import json
from random import Random

import click
import pytest
from texts import NAMES, value

import netwright as nw
from netwright.cli import COMMANDS, group, main

SAFE = ("summary", "compare", "nets", "show", "formula", "advise", "source", "rewrite", "scale",
        "check", "diff")  # fmt: skip
"""The commands that only read."""
WORDS = (
    "lenet5", "resnet18", "vgg16", "conv_lstm", "nonet", "", "-", "--", "net.json", "broken.json",
    "0", "1", "-1", "3x32x32", "1x1x1", "3x0x3", "9" * 30, "1e9", "3x99999999x99999999", "32*H",
    "16*C,H,W", "Conv(N, K)", "params<=1M", "macs<=0.5x", "params<=", "<=1", "widen:2", "stem-3x3",
    "widen:1e999", "widen:-1", "without:", "align:0", "act:GELU", "act:", "fp16", "adamw", "24GB",
    "run", "params", "1a", "1a,9z", "json", "x\x1b[2J", "\x00", "é²", "a" * 3000,
)  # fmt: skip


def _ran(arguments, capsys):
    """Exit code and what was said of the mistake, if one was made."""
    try:
        main(arguments)
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    error = capsys.readouterr().err
    assert code in (0, 1, 2), (arguments, code, error)
    assert error.replace("\n", "").isprintable(), (arguments, error)
    assert "Traceback" not in error
    if code == 2:
        assert error, arguments
    return code, error


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a net in a file, and one that is broken."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETWRIGHT_DEBUG", raising=False)
    (tmp_path / "net.json").write_text(nw.net("lenet5").to_json())
    (tmp_path / "broken.json").write_text('{"schema": 1, "input": [3], "spec": {"spec": "Conv"}}')
    return tmp_path


def _line(random: Random) -> list[str]:
    name = random.choice(SAFE)
    context = click.Context(group)
    command = group.get_command(context, name)
    assert command is not None
    options = [option for one in command.params for option in one.opts if option.startswith("-")]
    words = [random.choice((*WORDS, *NAMES)) for _ in range(random.choice((0, 1, 1, 2, 3)))]
    for _ in range(random.choice((0, 1, 1, 2))):
        words += [random.choice(options), random.choice(WORDS)]
    if random.random() < 0.6:
        words.insert(0, random.choice(("lenet5", "net.json", "Conv(N, 3)")))
    # what is written would land anywhere
    words = ["out.json" if word.startswith(("../", "<b")) else word for word in words]
    return [name, *words]


def test_any_line_is_answered(fuzz, here, capsys):
    def case(random: Random) -> None:
        _ran(_line(random), capsys)

    fuzz(150, case)


def test_any_file_is_answered(fuzz, here, capsys):
    def case(random: Random) -> None:
        record = json.loads((here / "net.json").read_text())
        record.pop("hash")
        holder = random.choice([record, record["spec"], record["spec"]["parts"][0][1]])
        holder[random.choice([*holder])] = value(random)
        (here / "odd.json").write_text(json.dumps(record))
        name = random.choice(SAFE[:1] + SAFE[3:8] + ("diff",))
        more = {"rewrite": ["act:GELU"], "diff": ["lenet5"]}.get(name, [])
        if name == "scale":
            more = ["--budget", "params<=1M"]
        _ran([name, "odd.json", *more], capsys)

    fuzz(40, case)


COMMAND_LINES = {
    "summary": [], "compare": ["lenet5"], "show": [], "formula": [], "advise": [], "source": [],
    "rewrite": ["act:GELU"], "check": ["--budget", "params<=1M"], "diff": ["lenet5"],
}  # fmt: skip
"""What a command takes beside the name of a net."""
SAMPLE = ("lenet5", "conv_lstm", "cnn_lstm", "ecg_cnn1d", "ecg_stft_cnn", "c3d", "unet", "eegnet",
          "googlenet", "hrnet_w18", "darts_v2_cifar10", "squeezenet1_1",
          "pnasnet5mobile")  # fmt: skip
"""Nets of every rank and of every kind of wiring."""


def _answers(command, name, capsys):
    code, error = _ran([command, name, *COMMAND_LINES[command]], capsys)
    if command != "rewrite":  # not every net has an activation to replace
        assert code in (0, 1), error


@pytest.mark.parametrize("name", [name for name in SAMPLE if name in nw.nets()])
def test_every_command_answers_for_a_sample_of_nets(name, here, capsys):
    for command in COMMAND_LINES:
        _answers(command, name, capsys)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", nw.nets())
@pytest.mark.parametrize("command", COMMAND_LINES)
def test_every_command_answers_for_every_net(command, name, here, capsys):
    _answers(command, name, capsys)


def test_every_command_is_known_here():
    others = {
        "nets",
        "scale",
        "calibrate",
        "bench",
        "fit",
        "recipes",
        "search",
        "work",
        "predict",
        "evaluate",
        "compare-runs",
        "look",
    }  # no net, or seconds of work
    assert {*COMMANDS} == {*COMMAND_LINES} | others
