"""`summary --train` and `--fit`."""

from __future__ import annotations

import json

import pytest

import netwright as nw
from netwright.cli import main


def run(capsys, *arguments, code=0):
    with pytest.raises(SystemExit) as stop:
        main(["summary", *arguments])
    out = capsys.readouterr()
    assert stop.value.code == code, out.err
    return out.err if code else out.out


def test_training_is_told(capsys):
    text = run(capsys, "resnet20_cifar10", "--batch", "64", "--dtype", "bf16", "--train", "adamw")
    assert "kept for the backward pass" in text
    assert "bfloat16, batch 64" in text


def test_the_largest_batch(capsys):
    asked = ["resnet20_cifar10", "--train", "sgd", "--fit", "1GB"]
    record = json.loads(run(capsys, *asked, "--json"))
    most = nw.net("resnet20_cifar10").plan().largest_batch(2**30, "sgd")
    assert record["fits"] == {"bytes": 2**30, "batch": most}
    assert record["training"]["optimiser"] == "sgd"
    assert f"a batch of {most:,} in 1 GB" in run(capsys, *asked)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--train", "adamV"], "near: adam"),
        (["--fit", "lots"], "lots"),
        (["--fit", "10KB"], "for one image"),
    ],
)
def test_what_cannot_be_is_told(capsys, arguments, said):
    assert said in run(capsys, "resnet20_cifar10", *arguments, code=2)
