"""`netwright summary package.module:factory`."""

from __future__ import annotations

import json
import sys

import pytest

from netwright.cli import main

CODE = """
import torch
import netwright as nw
from torch import nn

class Tiny(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.reads = torch.linspace(0, 0.5, 3).tolist()

    def forward(self, x):
        return torch.relu(self.conv(x))

class Deciding(Tiny):
    def forward(self, x):
        y = super().forward(x)
        return y if y.max() > 1 else -y

class Two(Tiny):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(10, 8)

    def forward(self, x, y):
        return super().forward(x) + self.linear(y)[..., None, None]

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(50, 8)

    def forward(self, words, scale=None):
        return self.table(words) if scale is None else self.table(words) * scale

class Arrays(Tiny):
    def __init__(self):
        super().__init__()
        self.conv.weight.data.mul_(float(self.conv.weight.detach().numpy().std()))
        assert self.conv.weight.abs().max() > 0

class Flagged(Tiny):
    def __init__(self):
        super().__init__()
        self.register_buffer("ready", torch.tensor([True, False]))

    def forward(self, x):
        return super().forward(x)[:, :4] if self.ready.any() else x

instance = Tiny(4)
net = nw.net("lenet5")
number = 3

def needs(width):
    return Tiny(width)

def fails():
    raise KeyError("boom")
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    (tmp_path / "user_nets").mkdir()
    (tmp_path / "user_nets" / "tiny.py").write_text(CODE)
    (tmp_path / "user_nets" / "wrong.py").write_text("1 / 0")
    (tmp_path / "user_nets" / "typo.py").write_text("class = 3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(["summary", *arguments])
        said = capsys.readouterr()
        return stop.value.code or 0, said.out, said.err

    yield run
    for name in ("user_nets.tiny", "user_nets"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("name", "width"), [("Tiny", 8), ("instance", 4)])
def test_a_class_and_an_instance(run, name, width):
    code, out, _ = run(f"user_nets.tiny:{name}", "--input", "3x10x10", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["totals"]["macs"] == 27 * width * 64
    assert [row["operation"] for row in told["rows"]] == ["Conv", "ReLU"]


def test_commands_about_nets_take_those_of_code(capsys, run):
    def told(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([*arguments])
        return stop.value.code or 0, *capsys.readouterr()

    assert told("diff", "user_nets.tiny:net", "lenet5")[1].startswith("no difference")
    assert told("formula", "user_nets.tiny:net")[0] == 0
    code, _, err = told("diff", "user_nets.tiny:Tiny", "lenet5")
    assert code == 2
    assert "user_nets.tiny:Tiny is a torch.nn.Module, wanted a netwright.Net" in err


def test_the_table_and_the_page(run, tmp_path):
    code, out, _ = run("user_nets.tiny:Tiny", "--input", "3x10x10")
    assert code == 0
    assert "user_nets.tiny:Tiny  3x10x10" in out
    assert run("user_nets.tiny:Tiny", "--input", "3x10x10", "--html", "page.html")[0] == 0
    assert "user_nets.tiny:Tiny" in (tmp_path / "page.html").read_text()


def test_several_inputs_are_joined_by_a_plus(run):
    code, out, _ = run("user_nets.tiny:Two", "--input", "3x10x10+10", "--json")
    assert code == 0
    assert json.loads(out)["totals"]["macs"] == 8 * 27 * 64 + 80
    code, _, said = run("resnet18", "--input", "3x64x64+10")
    assert (code, said) == (2, "netwright: resnet18 takes one input, got 2\n")


def test_types_of_inputs(run):
    code, out, _ = run("user_nets.tiny:Words", "--input", "10", "--input-dtype", "int64", "--json")
    assert (code, json.loads(out)["output"]) == (0, [10, 8])
    code, out, _ = run("user_nets.tiny:Words", "--input", "10+10x8", "--input-dtype",
                       "int64+float32", "--json")  # fmt: skip
    assert (code, json.loads(out)["output"]) == (0, [10, 8])
    code, _, err = run("user_nets.tiny:Words", "--input", "10")
    assert code == 2
    assert "an embedding wants integers, got float32" in err
    code, _, err = run("resnet18", "--input-dtype", "int64")
    assert (code, err) == (
        2, "netwright: --input-dtype is for modules of your own code, module:factory\n"
    )  # fmt: skip


def test_a_module_that_asks_for_numbers_is_run(run):
    arguments = ("user_nets.tiny:Deciding", "--input", "3x10x10")
    code, _, err = run(*arguments)
    assert code == 2
    assert "summary --run" in err
    code, out, _ = run(*arguments, "--run", "--json")
    assert (code, json.loads(out)["totals"]["macs"]) == (0, 27 * 8 * 64)


@pytest.mark.parametrize(("name", "width"), [("Arrays", 8), ("Flagged", 4)])
def test_a_factory_or_a_forward_pass_may_read_the_weights(run, name, width):
    code, out, _ = run(f"user_nets.tiny:{name}", "--input", "3x10x10", "--json")
    assert (code, json.loads(out)["output"]) == (0, [width, 8, 8])


def test_a_net_made_in_code_has_its_own_input(run):
    code, out, _ = run("user_nets.tiny:net", "--json")
    assert code == 0
    assert json.loads(out)["totals"]["params"] == 61_706


@pytest.mark.parametrize(("arguments", "said"), [
    (["user_nets.tiny:Tini"], "no attribute of user_nets.tiny is called 'Tini'; near: Tiny"),
    (["user_nets.none:Tiny"], "cannot import user_nets.none"),
    (["user_nets/tiny.py:Tiny"], "is a file; name its code as user_nets.tiny:Tiny"),
    (["user_nets/tiny.py"], "is a file; name its code as user_nets.tiny:factory"),
    (["user_nets.wrong:Tiny"], "cannot import user_nets.wrong: ZeroDivisionError: division"),
    (["user_nets.typo:Tiny"], "cannot import user_nets.typo: invalid syntax (typo.py, line 1)"),
    (["user_nets.tiny:fails"], "user_nets.tiny:fails cannot be made: KeyError: 'boom' ("),
    (["user_nets.tiny:_hidden"], "no attribute of user_nets.tiny is called '_hidden'; there"),
    (["user_nets.tiny:number"], "gives a int, wanted a torch.nn.Module or a netwright.Net"),
    (["user_nets.tiny:needs"], "cannot be called without arguments"),
    (["user_nets.tiny:Tiny"], "a module does not say its input"),
    (["user_nets.tiny:Tiny", "--input", "4x8x8"], "at conv: Conv2d takes 3 channels, got 4x8x8"),
    (["user_nets.tiny:Tiny", "--classes", "3"], "--classes is for nets of the registry"),
])  # fmt: skip
def test_mistakes_are_one_line(run, arguments, said):
    code, out, err = run(*arguments)
    assert code == 2
    assert not out
    assert said in err.splitlines()[-1]


def test_a_forward_pass_that_cannot_be_followed_shows_the_rows_before(run):
    code, _, err = run("user_nets.tiny:Deciding", "--input", "3x10x10")
    assert code == 2
    assert "conv" in err
    assert err.splitlines()[-1].endswith("return y if y.max() > 1 else -y")
