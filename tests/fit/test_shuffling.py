"""The net of a run on shuffled labels: what it learns, and what maps make of it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.cli import main
from netwright.train.shuffling import LEARNT, fit_shuffled, shuffled
from squares import COLOURS, TINY, square, write_squares


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> nw.Run:
    folder = tmp_path_factory.mktemp("run")
    return nw.fit(write_squares(folder / "data", 12), out=folder / "out", budget=TINY, epochs=1)


def test_a_run_has_its_images(run):
    dataset = run.dataset()
    assert dataset.fingerprint == run.record["data"]["fingerprint"]
    names = {part: [dataset.names[i] for i in dataset.indices(part)] for part in dataset.splits}
    assert names == run.record["splits"]


def test_images_that_changed_are_refused(run, tmp_path):
    other = write_squares(tmp_path / "other", 5)
    with pytest.raises(nw.RunError, match="are not those that"):
        run.dataset(other)
    with pytest.raises(nw.DataError, match="no such file or folder"):
        run.dataset(tmp_path / "none")


def test_labels_of_training_change_places(run):
    before = run.dataset()
    after, again, other = (shuffled(before, seed) for seed in (1, 1, 2))
    train, rest = before.indices("train"), before.indices("val", "test")
    assert np.array_equal(np.sort(after.labels[train]), np.sort(before.labels[train]))
    assert (after.labels[train] != before.labels[train]).any()
    assert np.array_equal(after.labels[rest], before.labels[rest])
    assert np.array_equal(after.labels, again.labels)
    assert (after.labels != other.labels).any()


def test_the_net_learns_them(run):
    """To the accuracy that is told, from other weights, and nothing around it changes."""
    weights = {key: value.clone() for key, value in run.model().state_dict().items()}
    state, shares = torch.get_rng_state(), list[float]()
    result = fit_shuffled(run, epochs=3, tell=shares.append)
    assert torch.equal(torch.get_rng_state(), state) and shares[-1] <= 1
    dataset = shuffled(run.dataset(), 0)
    train = dataset.indices("train")
    x = torch.stack([run.preprocessing(dataset.listing.reader.file(int(i))) for i in train])
    with torch.no_grad():
        right = result.model(x).argmax(1).numpy() == dataset.labels[train]
    assert result.accuracy == pytest.approx(right.mean()) and not result.model.training
    assert result.epochs == 3 or result.accuracy >= LEARNT
    assert all(torch.equal(run.model().state_dict()[key], weights[key]) for key in weights)
    state = result.model.state_dict()
    assert state.keys() == weights.keys()
    assert any(not torch.equal(state[key], weights[key]) for key in weights)
    again = fit_shuffled(run, epochs=3).model.state_dict()
    assert all(torch.equal(state[key], again[key]) for key in state)


def test_longer_is_by_heart(run):
    """Nothing is augmented: what has no rule can be learnt all the same."""
    assert fit_shuffled(run, epochs=60).accuracy > fit_shuffled(run, epochs=1).accuracy


def test_it_ends_in_time(run):
    result = fit_shuffled(run, seconds=0)
    assert result.epochs == 1
    with pytest.raises(nw.RunError, match="Wanted seconds or epochs"):
        fit_shuffled(run)

    def pressed(share):
        if share > 0.1:
            raise KeyboardInterrupt

    assert fit_shuffled(run, epochs=10, tell=pressed).epochs == 2


def test_maps_are_held_against_it(run):
    image = square(COLOURS["green"], np.random.default_rng(1), side=20)
    look = nw.look.trust(run, image, "gradient", labels=0.1)
    net = run.shuffled(0.1)
    assert net is run.shuffled(0.1)  # trained once
    plain = nw.look.trust(run, image, "gradient", shuffled=net.model)
    assert look.shuffled == plain.shuffled and look.learnt == net.accuracy
    assert look.mark == f"{plain.mark} to {net.accuracy:.0%}" and look.facts()["learnt"] == net[1]
    with pytest.raises(nw.LookError, match="got both"):
        nw.look.trust(run, image, shuffled=net.model, labels=1)
    with pytest.raises(nw.LookError, match="only a run of `fit` knows"):
        nw.look.trust(run.model(), image, labels=1, preprocessing=run.preprocessing)


def test_the_command_says_so(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    image = next(iter(sorted((run.path.parent / "data").rglob("*.png"))))
    line = ["look", "trust", str(run.path), str(image), "--method", "gradient", "--labels", "0.1"]
    with pytest.raises(SystemExit) as stop:
        main([*line, "--json", "--quiet"])
    assert not stop.value.code
    facts = json.loads(capsys.readouterr()[0])["results"][0]
    assert "a net that learnt shuffled labels to" in facts["mark"]
    shutil.copytree(run.path, tmp_path / "moved")
    record = json.loads((tmp_path / "moved" / "run.json").read_text())
    record["settings"]["data"] = "nowhere"
    (tmp_path / "moved" / "run.json").write_text(json.dumps(record))
    with pytest.raises(SystemExit) as stop:
        main(["look", "trust", "moved", str(image), "--labels", "1"])
    assert stop.value.code == 2 and "nowhere: no such file" in capsys.readouterr()[1]
