"""Run folders that were changed: one line each, and nothing outside of them is touched."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from netwright.cli import main
from netwright.errors import NetwrightError, RunError
from netwright.train import Run, Watch, fit, resume
from netwright.train.checkpoint import read_checkpoint, write_checkpoint
from squares import TINY, write_squares


class Breaks(Watch):
    def epoch(self, trial, epoch):
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("record")


@pytest.fixture(scope="module")
def images(home):
    return write_squares(home / "squares", 6)


@pytest.fixture(scope="module")
def whole(home, images):
    return fit(images, budget=TINY, out=home / "whole", epochs=1).path


@pytest.fixture(scope="module")
def begun(home, images):
    with pytest.raises(KeyboardInterrupt):
        fit(images, budget=TINY, out=home / "begun", epochs=1, watch=Breaks())
    return home / "begun"


def changed(run, tmp_path, file, place, value):
    """A copy of a run in which one field of a JSON file is another; `...` takes it out."""
    out = tmp_path / "run"
    shutil.copytree(run, out)
    record = json.loads((out / file).read_text())
    *way, last = place.split(".")
    inside = record
    for word in way:
        inside = inside[word]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    (out / file).write_text(json.dumps(record))
    return out


def used(out, *images):
    """All files of a run are read."""
    run = Run.load(out)
    _ = run.metrics, run.model()
    return run.predict(images)


FIELDS = [
    ("run.json", "schema", True, "is no record of a run"),
    ("run.json", "schema", 10**30, "upgrade netwright"),
    ("run.json", "settings", [], r"run\.json has no settings\.data, wanted text"),
    ("run.json", "settings.data", 3, r"settings\.data is 3, wanted text"),
    ("run.json", "settings.data", ..., r"has no settings\.data"),
    ("run.json", "data.classes", [], r"data\.classes is \[\], wanted a list of names"),
    ("run.json", "data.classes", ["a", 1], r"wanted a list of names"),
    ("run.json", "data.classes", "abc", r"data\.classes is 'abc', wanted a list of names"),
    ("run.json", "preprocessing.size", 40000, "size is 40000, wanted a whole number from 1 to 40"),
    ("run.json", "preprocessing.size", 12.0, r"size is 12\.0, wanted a whole"),
    ("run.json", "preprocessing.size", True, "size is True, wanted a whole"),
    ("run.json", "preprocessing.channels", 2, "channels is 2, wanted 1 or 3"),
    ("run.json", "preprocessing.mean", [0.5], "a mean and a deviation for every channel"),
    ("run.json", "preprocessing.mean", [float("nan")] * 3, r"mean is \[nan, nan, nan\], wanted"),
    ("run.json", "preprocessing.std", [0, 1, 1], "wanted a list of numbers above 0"),
    ("run.json", "preprocessing.range", [3, 3], "wanted two numbers, the smaller first"),
    ("run.json", "preprocessing.range", [0], "wanted two numbers, the smaller first"),
]
JOBS = [
    ("job.costs", [1], "wanted a cost for every net"),
    ("job.costs", [-1.0], "wanted a list of numbers, none below 0"),
    ("job.recipe", None, "recipe is None, wanted a recipe"),
    ("job.recipe.batch", 0, "batch is 0, wanted 1 to"),
    ("job.recipe.rate", "fast", "rate is 'fast', wanted a number"),
    ("job.recipe.colour", 1, "no word of a recipe is called 'colour'"),
    ("job.precision", "fp64", "precision is 'fp64', wanted auto, fp32 or bf16"),
    ("job.folds", 0, "folds is 0, wanted a whole number"),
    ("job.epochs", -1, "epochs is -1, wanted a whole number"),
    ("job.approaches", [{}], "wanted a cost for every net"),
]


@pytest.mark.parametrize(("place", "value", "said"), JOBS)
def test_fields_of_a_job_that_goes_on(begun, tmp_path, place, value, said):
    out = changed(begun, tmp_path, "run.json", place, value)
    with pytest.raises(RunError, match=said) as caught:
        resume(out)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("file", "place", "value", "said"), FIELDS)
def test_fields_of_run_json(whole, tmp_path, file, place, value, said):
    out = changed(whole, tmp_path, file, place, value)
    with pytest.raises(RunError, match=said) as caught:
        _ = Run.load(out).preprocessing
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "place", "value", "said"),
    [
        ("metrics.json", "net", ..., r"has no net\.name"),
        ("metrics.json", "test.accuracy", 2, "accuracy is 2, wanted a number from 0 to 1"),
        ("metrics.json", "test.interval", [0.1], "wanted two numbers"),
        ("metrics.json", "net.params", float("inf"), "params is inf, wanted a whole"),
        ("run.json", "seconds", ..., "has no seconds"),
        ("run.json", "seconds", "long", "seconds is 'long', wanted a number"),
    ],
)
def test_fields_that_the_command_tells(whole, tmp_path, images, capsys, file, place, value, said):
    out = changed(whole, tmp_path, file, place, value)
    with pytest.raises(RunError, match=said):
        _ = Run.load(out).metrics
    with pytest.raises(SystemExit) as caught:
        main(["fit", str(images), "--out", str(out), "--resume", "--quiet"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("run.json", "[" * 10**5, "is no JSON"),
        ("run.json", '{"schema": ' + "9" * 5000 + "}", "is no JSON"),
        ("run.json", "", "is no JSON"),
        ("metrics.json", "\x00", "is no JSON"),
        ("net.json", "{}", r"net\.json: this JSON is no net"),
        ("weights.safetensors", "no", "no .safetensors, or a damaged one"),
    ],
)
def test_files_that_are_no_longer_what_they_were(whole, tmp_path, images, name, text, said):
    out = shutil.copytree(whole, tmp_path / "run")
    (out / name).write_text(text)
    with pytest.raises(RunError, match=said) as caught:
        used(out, next(images.rglob("*.png")))
    assert "\n" not in str(caught.value)


def test_files_that_are_pipes_or_folders(whole, tmp_path):
    for name in ("run.json", "metrics.json", "net.json", "weights.safetensors"):
        for make, said in ((os.mkfifo, "pipe or device"), (Path.mkdir, "a folder|pipe or device")):
            out = shutil.copytree(whole, tmp_path / f"{name}{make.__name__}")
            (out / name).unlink()
            make(out / name)
            with pytest.raises(RunError, match=said):
                used(out)


def test_weights_that_are_no_numbers(whole, tmp_path):
    from safetensors.torch import load_file, save_file

    out = shutil.copytree(whole, tmp_path / "run")
    state = load_file(out / "weights.safetensors")
    key = next(name for name in state if name.endswith("weight"))
    for change, said in ((lambda t: t * torch.nan, "not finite"), (torch.Tensor.long, "int64")):
        save_file({**state, key: change(state[key])}, out / "weights.safetensors")
        with pytest.raises(RunError, match=f"{key} has .*{said}.*; the file was changed"):
            _ = Run.load(out).model()


def renamed(record, name):
    """The record with its first net under another name; the hash says nothing of names."""
    first = record["job"]["approaches"][0]
    first["net"] = json.dumps({**json.loads(first["net"]), "name": name})
    return record


@pytest.mark.parametrize("name", ["../../../out", "a/b", "", "x" * 300, "\n"])
def test_a_run_never_writes_outside_its_folder(begun, tmp_path, name):
    out = shutil.copytree(begun, tmp_path / "deep" / "er" / "run")
    shutil.rmtree(out / "checkpoints")
    record = renamed(json.loads((out / "run.json").read_text()), name)
    (out / "run.json").write_text(json.dumps(record))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NetwrightError, match="name"):
        resume(out)
    assert sorted(tmp_path.rglob("*")) == before


def test_two_nets_of_one_name_or_of_other_images(begun, tmp_path):
    out = shutil.copytree(begun, tmp_path / "run")
    record = json.loads((out / "run.json").read_text())
    second = json.loads(record["job"]["approaches"][1]["net"])["name"]
    (out / "run.json").write_text(json.dumps(renamed(record, second)))
    with pytest.raises(RunError, match="cannot be names of files"):
        resume(out)
    record = json.loads((begun / "run.json").read_text())
    first = record["job"]["approaches"][0]
    net = json.loads(first["net"])
    del net["hash"]
    first["net"] = json.dumps({**net, "input": [3, 16, 16]})
    (out / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match="takes 3x16x16 and gives 3, the images are 3x12x12 of 3"):
        resume(out)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda held: {**held, "history": 3}, "history is 3, wanted a list of epochs"),
        (lambda held: {**held, "history": [{}]}, "has no trial"),
        (lambda held: {**held, "spent": "long"}, "spent is 'long'"),
        (lambda held: {**held, "learner": {}}, "was changed and is of no use"),
        (lambda held: {**held, "learner": {"done": 1}}, "was changed and is of no use"),
        (lambda held: {**held, "history": []}, "was changed and is of no use"),
        (lambda held: {k: v for k, v in held.items() if k != "belongs"}, "has no belongs"),
        (lambda held: [held], "has no belongs"),
    ],
)
def test_checkpoints(begun, tmp_path, change, said):
    out = shutil.copytree(begun, tmp_path / "run")
    (path,) = (out / "checkpoints").iterdir()
    write_checkpoint(path, change(read_checkpoint(path)))
    with pytest.raises(RunError, match=f"{said}.*; remove it to train that net again"):
        resume(out)
    path.unlink()
    assert resume(out).finished
