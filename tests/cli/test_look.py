"""`netwright look`: a command a look, a page of all, mistakes in a line."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

import netwright as nw
from netwright.cli import look_options, main
from netwright.cli.look import command as group
from netwright.data.image import Preprocessing

CODE = """
import torch
from torch import nn


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 5, 2, 2), nn.ReLU(), nn.Conv2d(6, 8, 3, 2, 1), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))


def other():
    model = small()
    model[0].weight.data *= torch.linspace(0, 1, 5)
    return model


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return [{"boxes": self.conv(x)}]


class Sorted(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.sort = Sort()
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.sort(self.conv(x)).mean((2, 3)))


class Sort(nn.Module):
    def forward(self, x):
        return torch.linalg.qr(x)[0]
"""
NET = "mine:small"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with code and images."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for i in range(5):
        pixels = random.integers(0, 256, (32, 32, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i}.png")
    for i in range(12):
        folder = tmp_path / "classes" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 128 + 100 * (i % 2), (32, 32, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path


@pytest.fixture
def said(here, capsys):
    def run(*line):
        try:
            main(["look", *map(str, line)])
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run


ASKED = {
    "attribute": [NET, "photos/0.png", "photos/1.png", "--method", "integrated", "--target", "2"],
    "occlusion": [NET, "photos/0.png", "--size", "8", "--stride", "8", "--fill", "0.5"],
    "activations": [NET, "photos/0.png", "--layer", "0", "--layer", "3"],
    "dream": [NET, "photos/0.png", "--layer", "2", "--iterations", "1", "--octaves", "2"],
    "maximise": [NET, "--layer", "0", "--channel", "0,3-4", "--steps", "2", "--size", "24"],
    "filters": [NET],
    "gabors": [NET],
    "field": [NET, "photos/0.png", "--layer", "2", "--unit", "3,4"],
    "fields": [NET, "photos/0.png", "--layer", "2", "--beside", "mine:other"],
    "top-patches": [NET, "photos", "--layer", "2", "--count", "4"],
    "sparsity": [NET, "photos"],
    "trust": [NET, "photos/0.png", "--method", "gradient", "--steps", "2"],
    "shift": [NET, "photos/0.png", "--most", "2"],
    "sensitivity": [NET, "photos", "--change", "blur"],
    "separability": [NET, "classes", "--layer", "0", "--layer", "3"],
}
FILES = {"attribute": ["attribute-0", "attribute-1"], "occlusion": ["occlusion-0"],
         "trust": ["trust-0"],
         "activations": ["activations-0"], "dream": ["dream-0"]}  # fmt: skip


def test_every_look_is_asked_here():
    assert {*ASKED, "page"} == {*group.commands}


@pytest.mark.parametrize("name", ASKED)
def test_a_look_prints_and_writes(said, here, name):
    code, out, err = said(name, *ASKED[name], "--json", "--out", "out", "--quiet")
    assert code == 0, err
    record = json.loads(out)
    assert (record["model"], record["look"]) == (NET, name)
    stems = FILES.get(name, [name])
    assert len(record["results"]) == len(stems)
    assert {path.name for path in (here / "out").iterdir()} == {
        stem + end for stem in stems for end in (".png", ".npz")
    }
    stored = np.load(here / "out" / f"{stems[0]}.npz")
    facts = {key: value for key, value in record["results"][0].items() if key != "image"}
    assert json.loads(str(stored["facts"])) == facts
    assert all(f"note {note}" in err for note in facts.get("notes", []))


def test_a_stop_leaves_the_images_that_are_done(said, here, monkeypatch):
    """Ctrl-C in the third of five, in a look that gives nothing by halves."""
    done, plainly = list[str](), nw.look.activations

    def pressed(looked, image, paths):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(image)
        return plainly(looked, image, paths)

    monkeypatch.setattr(nw.look, "activations", pressed)
    code, out, err = said("activations", NET, "photos", "--layer", "0", "--json")
    assert code == 0 and "note stopped early, after 2 of 5 images" in err
    assert [record["image"] for record in json.loads(out)["results"]] == done
    assert len([*(here / "looks").iterdir()]) == 4


@pytest.mark.parametrize(("name", "said_so"), [
    ("attribute", "note stopped early, after 1 of 25 samples"),
    ("trust", "note stopped early, after 1 of 5 maps"),
])  # fmt: skip
def test_maps_end_with_their_seconds(said, here, name, said_so):
    line = [NET, "photos/0.png", "--method", "smoothgrad" if name == "attribute" else "gradient"]
    code, out, err = said(name, *line, "--seconds", "0", "--json")
    assert code == 0 and said_so in err
    assert "stopped early" in "".join(json.loads(out)["results"][0]["notes"])


def test_fields_beside_each_other_are_those_of_the_library(said, here):
    import mine

    line = ["fields", NET, "photos/0.png", "--layer", "2", "--unit", "3,4"]
    out = said(*line, "--beside", "mine:other", "--json", "--quiet")[1]
    facts = json.loads(out)["results"][0]
    assert (facts["layer"], facts["unit"]) == ("2", [3, 4])
    assert list(facts["fields"]) == [NET, "mine:other"]
    for name, model in ((NET, mine.small()), ("mine:other", mine.other())):
        look = nw.look.field(model, "2", (3, 4), images=["photos/0.png"])
        assert facts["fields"][name]["spread"] == pytest.approx(look.spread)
    text = said(*line, "--beside", "mine:other")[1]
    assert "mine:other" in text and "layer 2" in text


def test_a_net_is_set_beside_its_first_random_weights(said, here):
    net = nw.Net(nw.Sequential(nw.Conv(4, 3), nw.ReLU(), nw.GlobalAvgPool(), nw.Flatten(),
                               nw.Linear(3)), (3, 32, 32), "small")  # fmt: skip
    (here / "net.json").write_text(net.to_json())
    import torch

    model = net.build(seed=0)
    next(model.parameters()).data *= torch.tensor([1.0, 0.1, 0.1])
    torch.save(model.state_dict(), "trained.pth")
    line = ["fields", "net.json", "photos/0.png", "--layer", "0", "--json", "--quiet"]
    code, out, err = said(*line, "--weights", "trained.pth")
    assert code == 0, err
    assert list(json.loads(out)["results"][0]["fields"]) == ["net.json, random weights", "net.json"]
    assert "net.json has random weights; wanted --weights" in said(*line)[2]


def test_pools_and_models_are_moved_beside_each_other(said, here):
    """Each by what was typed, and the numbers of the library."""
    import mine

    pools = ["MaxPool(2)", "BlurPool(3, 2)"]
    line = ["--json", "--quiet", "--most", "2"]
    code, out, err = said("shift", pools[0], "photos", "--beside", pools[1], *line)
    assert code == 0, err
    change = json.loads(out)["results"][0]["change"]
    units = dict(zip(pools, (nw.MaxPool(2), nw.BlurPool(3, 2)), strict=True))
    files = sorted(map(str, (here / "photos").iterdir()))
    look = nw.look.shift(units, files, 2)
    assert list(change) == pools
    assert change == pytest.approx({name: v.mean() for name, v in look.change.items()})
    given = ["--input", "3x16x16", "--mean", "0,0,0", "--std", "1,1,1"]
    code, out, err = said("shift", NET, "photos", "--beside", "mine:other", "--beside", *pools[:1],
                          *line, *given)  # fmt: skip
    assert code == 0, err
    how = Preprocessing(16, 3, (0.0,) * 3, (1.0,) * 3)
    every = {NET: mine.small(), "mine:other": mine.other(), pools[0]: units[pools[0]]}
    look = nw.look.shift(every, files, 2, preprocessing=how)
    change = json.loads(out)["results"][0]["change"]
    assert change == pytest.approx({name: v.mean() for name, v in look.change.items()})


def test_methods_are_those_of_the_library():
    assert sorted(look_options.METHODS) == sorted(nw.look.METHODS)


@pytest.mark.parametrize("border", ["reflect", "roll", "zero"])
def test_borders_are_what_help_says(said, here, border):
    assert border in said("shift", "--help")[1]
    assert said("shift", *ASKED["shift"], "--border", border, "--quiet")[0] == 0


def test_the_numbers_are_those_of_the_library(said, here):
    import mine

    out = said("attribute", *ASKED["attribute"], "--json", "--quiet")[1]
    for i, record in enumerate(json.loads(out)["results"]):
        look = nw.look.attribute(mine.small(), f"photos/{i}.png", "integrated", 2)
        assert record["score"] == pytest.approx(look.score, abs=1e-6)
        stored = np.load(here / "looks" / f"attribute-{i}.npz")
        assert np.allclose(stored["map"], look.map, atol=1e-6)
        assert (record["target"], record["image"]) == (2, f"photos/{i}.png")
    said("occlusion", *ASKED["occlusion"], "--svg", "--quiet")
    assert (here / "looks" / "occlusion-0.svg").read_text().startswith("<?xml")
    text = said("sparsity", *ASKED["sparsity"])[1]
    assert "images 5" in text and re.search(r"^3 +8 ", text, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(group.commands))
def test_help_of_every_look(said, name):
    code, out, _ = said(name, "--help")
    assert code == 0
    for param in group.commands[name].params:
        assert all(option in out for option in param.opts if option.startswith("--"))
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(("line", "wanted"), [
    (["occlusio", NET, "photos/0.png"], "no look is called 'occlusio'; near: occlusion"),
    (["activations", NET, "photos/0.png", "--layer", "00"], "no layer is called '00'; near: 0"),
    (["field", NET, "photos/0.png", "--layer", "2", "--unit", "8,0"], "2 has no unit at (8, 0)"),
    (["maximise", NET, "--layer", "2", "--unit", "99,0", "--size", "24"], "2 has no unit at"),
    (["attribute", NET, "photos/0.png", "--target", "7"], "there is no class 7; wanted 0 to 2"),
    (["attribute", NET, "photos/0.png", "--target", "cat"], "does not name its classes"),
    (["attribute", NET, "photos/0.png", "--method", "gradcamm"], "near: gradcam"),
    (["attribute", "mine:Detector", "photos/0.png"], "a detector has none"),
    (["field", "mine:Sorted", "photos/0.png", "--layer", "sort"], "nobody knows what its units"),
    (["maximise", NET], "wanted --layer PATH"),
    (["maximise", NET, "--layer", "0", "--channel", "3-x"], "no list of channels such as"),
    (["maximise", NET, "--layer", "0", "--channel", "6"], "6 channels, 0 to 5"),
    (["field", NET, "--layer", "0"], "does not say its input"),
    (["filters", NET, "--layer", "1"], "no convolution is called '1'"),
    (["filters", NET, "--mean", "a"], "no list of numbers"),
    (["filters", NET, "--input", "3x32x16", "--mean", "0,0,0"], "squares such as 3x224x224"),
    (["filters", NET, "--weights", "none.pth"], "no such file"),
    (["occlusion", NET, "photos/none.png"], "none.png"),
    (["occlusion", NET], "missing argument"),
    (["sparsity", NET, "mine.py"], "mine.py"),
    (["shift", "MaxPol(2)", "photos/0.png"], "no spec is called 'MaxPol'; near: MaxPool"),
    (["shift", "MaxPool(print(1))", "photos/0.png"], "no spec is called 'print'"),
    (["shift", NET, "photos/0.png", "--beside", "MaxPool(-2)"], "MaxPool"),
    (["shift", NET, "photos/0.png", "--beside", NET], "mine:small is there twice"),
    (["fields", NET, "photos/0.png", "--layer", "0"], "nobody knows the first weights of mine:sm"),
    (["fields", NET, "photos/0.png"], "wanted --layer PATH"),
    (["nonet", "photos/0.png"], "no net is called 'nonet'"),
    ([NET], "missing argument"),
])  # fmt: skip
def test_mistakes_are_one_line(said, line, wanted):
    code, out, err = said(*line)
    assert (code, out) == (2, "")
    last = err.strip().splitlines()[-1]
    assert last.startswith("netwright: ") and wanted in last
    assert all(one.startswith(("note ", "wrote ")) for one in err.strip().splitlines()[:-1])


def test_a_look_without_a_name_is_the_page(said, here):
    code, out, err = said(NET, "photos/0.png", "photos/1.png", "--html", "p.html", "--json",
                          "--input", "3x32x32", "--mean", "0.5,0.5,0.5",
                          "--std", "0.2,0.2,0.2")  # fmt: skip
    assert code == 0, err
    assert json.loads(out)["page"] == "p.html" and "wrote p.html" in err
    text = (here / "p.html").read_text()
    assert "<h1>mine:small</h1>" in text and "class 0" in text
    assert "Left out" not in text and "http" not in re.sub('xmlns[^"]*"[^"]*"', "", text)


def test_weights_fit_a_module_or_are_told(said, here):
    import mine
    import torch

    module = mine.small()
    module[0].weight.data.zero_()
    torch.save(module.state_dict(), "zero.pth")
    record = json.loads(said("filters", NET, "--weights", "zero.pth", "--json", "--quiet")[1])
    assert record["results"][0]["layer"] == "0"
    assert not np.load(here / "looks" / "filters.npz")["weight"].any()
    torch.save({"a": torch.zeros(1)}, "other.pth")
    assert "does not fit the module" in said("filters", NET, "--weights", "other.pth")[2]
