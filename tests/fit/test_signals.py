"""Signals (C, L): read, brought to length, augmented, learnt from; what is of images refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from netwright.cli import main
from netwright.data import load
from netwright.data.augment import Batch, Delay, Flip, Gain, Noise, augment, from_json, to_json
from netwright.data.signals import SignalPreprocessing, preprocessing_of, resampled
from netwright.errors import DataError, RecipeError, RunError
from netwright.space.families import small
from netwright.train import Run, fit, resume
from netwright.train.batches import Images, Place
from netwright.train.evaluation import evaluate, robustness
from netwright.train.recipe import Recipe
from squares import write_squares

WORDS = {"budget": "params<=40k, macs<=500k", "epochs": 8}
RATES = (3, 5, 8, 12)


def sines(count, channels=2, length=128, seed=0):
    """Waves of one of four frequencies, any phase and strength, in noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % len(RATES)
    time = np.arange(length) / length
    phase = generator.random((count, channels, 1))
    waves = np.sin(2 * np.pi * (np.array(RATES)[labels][:, None, None] * time + phase))
    strength = 0.5 + generator.random((count, channels, 1))
    values = strength * waves + 0.2 * generator.normal(size=waves.shape)
    return values.astype(np.float32), labels


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("signals")


@pytest.fixture(scope="module")
def data(home):
    values, labels = sines(320)
    np.savez(home / "sines.npz", signals=values, labels=labels)
    return home / "sines.npz"


@pytest.fixture(scope="module")
def run(home, data):
    return fit(data, out=home / "run", **WORDS)


@pytest.fixture(scope="module")
def quick(home):
    """One net that learns in no time."""
    net = small("plain", (2, 128), 4, width=4, depth=1, stages=2)
    (home / "net.json").write_text(net.to_json())
    return {"net": str(home / "net.json"), "epochs": 2}


def test_sines_are_told_apart(run, home):
    assert run.metrics["test"]["accuracy"] > 0.95
    assert len(run.net.input) == 2
    values, labels = sines(40, seed=9)
    said = [one.label for one in run.predict(values)]
    assert np.mean([int(label) == truth for label, truth in zip(said, labels, strict=True)]) > 0.95
    np.savez(home / "more.npz", signals=values, labels=labels)
    found = evaluate([run], home / "more.npz")
    assert [found.classes[i] for i in found.shares.argmax(1)] == said
    assert "signal" in (run.path / "report.html").read_text()


def test_a_run_goes_on_and_is_read_again(data, home, quick, monkeypatch):
    whole = fit(data, out=home / "whole", **quick)
    real, steps = Images.epoch, []

    def broken(self, *rest, **more):
        for batch in real(self, *rest, **more):
            steps.append(1)
            if len(steps) == 25:
                raise KeyboardInterrupt
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(Images, "epoch", broken)
        with pytest.raises(KeyboardInterrupt):
            fit(data, out=home / "broken", **quick)
    done = resume(home / "broken")
    for name in ("weights.safetensors", "metrics.jsonl", "predictions.csv"):
        assert (done.path / name).read_bytes() == (whole.path / name).read_bytes()
    assert Run.load(done.path).preprocessing == whole.preprocessing


def test_predict_reads_npy_files(run, tmp_path, capsys):
    values, labels = sines(4, seed=3)
    for i, value in enumerate(values):
        np.save(tmp_path / f"{i}.npy", value)
    (tmp_path / "no.npy").write_bytes(b"no")
    np.save(tmp_path / "narrow.npy", values[0, :1])
    paths = [str(tmp_path / f"{name}.npy") for name in (0, 1, 2, 3, "no", "narrow")]
    with pytest.raises(SystemExit) as caught:
        main(["predict", str(run.path), *paths, "--json"])
    assert caught.value.code == 0
    record = json.loads(capsys.readouterr().out)
    assert [int(row["class"]) for row in record["images"]] == labels.tolist()
    assert "no .npy of a signal" in record["unreadable"][0]
    assert "a signal is (1, 128), wanted (2, length)" in record["unreadable"][1]


def write(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_shapes_that_are_signals(tmp_path):
    values, labels = sines(40, 1, 64)
    plain = load(write(tmp_path / "a.npz", x=values[:, 0], y=labels))
    assert plain.signals
    assert plain.channels == 1
    assert load(write(tmp_path / "b.npz", data=values, target=labels)).signals
    wide, labels = sines(40, 24, 32)
    assert not load(write(tmp_path / "c.npz", images=wide, labels=labels)).signals
    named = load(write(tmp_path / "d.npz", signals=wide, labels=labels))
    assert named.signals
    assert named.preprocessing().shape == (24, 32)
    split = load(write(tmp_path / "e.npz", signals_train=wide, labels_train=labels,
                       signals_test=wide[:8] + 1, labels_test=labels[:8]))  # fmt: skip
    assert split.signals
    assert split.size("test") == 8
    with pytest.raises(DataError, match=r"time first; wanted \(N, C, L\)"):
        load(write(tmp_path / "f.npz", images=np.zeros((8, 100, 2)), labels=np.arange(8) % 2))


def test_moments_are_of_each_channel_in_training(tmp_path):
    values, labels = sines(40, 3, 64)
    values = values * np.array([1, 10, 100])[:, None] + np.array([0, 5, -7])[:, None]
    data = load(write(tmp_path / "a.npz", signals=values, labels=labels))
    seen, train = data.preprocessing(), data.indices("train")
    source = data.sequence(train, seen, torch.device("cpu"))
    images = Images(source, data.labels[train], 4, seen, torch.device("cpu"))
    x = torch.cat(list(images.inorder()))
    assert x.shape == (len(train), 3, 64)
    assert torch.allclose(x.mean((0, 2)), torch.zeros(3), atol=1e-4)
    assert torch.allclose(x.std((0, 2), correction=0), torch.ones(3), atol=1e-4)
    assert torch.allclose(seen(values[train[0]]), x[0], atol=1e-5)


def test_copies_and_flat_signals_are_told(tmp_path):
    values, labels = sines(40, 2, 64)
    values[39] = 3.0
    data = load(write(tmp_path / "a.npz", signals_train=values, labels_train=labels,
                      signals_test=values[:3], labels_test=labels[:3]))  # fmt: skip
    assert data.summary()["duplicates"] == 3
    assert any("1 signal is flat" in note for note in data.notes)
    assert data.thumbnail(0, 32).shape == (32, 32, 1)
    assert 0 < (data.thumbnail(0, 32) < 255).mean() < 0.9


def test_lengths_are_changed_by_means():
    values = np.random.default_rng(0).normal(size=(3, 60))
    assert np.allclose(resampled(values, 20), values.reshape(3, 20, 3).mean(2), atol=1e-6)
    assert np.allclose(resampled(values, 120)[:, ::2], values, atol=1e-6)
    for length in (7, 59, 61, 200):
        assert np.allclose(resampled(values, length).mean(1), values.mean(1), atol=1e-6)


def test_preprocessing_is_written_and_read():
    seen = SignalPreprocessing(100, 2, (0.0, 1.0), (1.0, 2.0), map=True)
    assert preprocessing_of(json.loads(json.dumps(seen.to_json()))) == seen
    assert seen.shape == (1, 2, 100)
    for wrong in ({"size": 0}, {"mean": (0.0,)}, {"std": (1.0, 0.0)}):
        with pytest.raises(DataError, match="wanted"):
            preprocessing_of({**seen.to_json(), **wrong})


def batch(count=6, channels=2, length=40):
    values, labels = sines(count, channels, length)
    return Batch(torch.from_numpy(values), torch.from_numpy(labels))


@pytest.mark.parametrize("operation", [Delay(), Gain(), Noise()])
def test_operations_change_every_signal_in_its_own_way(operation):
    given = batch()
    whole = augment(given, [operation], 4, torch.Generator().manual_seed(1))
    assert whole.pixels.shape == given.pixels.shape
    assert all(not torch.equal(a, b) for a, b in zip(whole.pixels, given.pixels, strict=True))
    own = Batch(given.pixels[2:4], given.labels[2:4])
    part = augment(own, [operation], 4, torch.Generator().manual_seed(1), (2, 6))
    assert torch.equal(part.pixels, whole.pixels[2:4])
    assert from_json(to_json([operation])) == (operation,)


def test_a_delay_moves_and_a_gain_scales():
    given = batch(length=40)
    moved = Delay(0.25).apply(given, torch.full((6, 1), 0.999), 4).pixels
    assert torch.equal(moved[:, :, 10:], given.pixels[:, :, :30])
    assert torch.equal(moved[:, :, :10], given.pixels[:, :, :1].expand(-1, -1, 10))
    scaled = Gain(0.5).apply(given, torch.full((6, 1), 2.0), 4).pixels
    mean = given.pixels.mean(-1, keepdim=True)
    assert torch.allclose(scaled - mean, 2 * (given.pixels - mean), atol=1e-5)
    noise = Noise(0.3).apply(given, torch.arange(6)[:, None], 4).pixels - given.pixels
    ratio = noise.std() / given.pixels.std()
    assert 0.2 < float(ratio) < 0.4


def test_two_processes_get_the_halves_of_a_batch(data):
    loaded = load(data)
    seen, train = loaded.preprocessing(), loaded.indices("train")
    cpu = torch.device("cpu")
    images = Images(loaded.sequence(train, seen, cpu), loaded.labels[train], 4, seen, cpu)
    recipe = Recipe(batch=16, operations=(Delay(), Gain(), Noise()))
    whole = list(images.epoch(recipe, 1, 0))
    halves = [list(images.epoch(recipe, 1, 0, place=Place(rank, 2))) for rank in range(2)]
    for step, (x, _) in enumerate(whole):
        assert torch.equal(x, torch.cat([half[step][0] for half in halves]))


def test_nets_of_one_and_of_two_dimensions(tmp_path):
    values, labels = sines(24, 64, 64)
    path = write(tmp_path / "a.npz", signals=values, labels=labels)
    wave = fit(path, out=tmp_path / "wave", net="ecg_cnn1d", epochs=1)
    assert wave.net.input == (64, 64)
    eeg = fit(path, out=tmp_path / "eeg", net="eegnet_4_2", epochs=1)
    assert eeg.net.input == (1, 64, 64)
    assert Run.load(eeg.path).preprocessing.map
    assert len(eeg.predict(values[:3])) == 3


def test_signals_may_be_longer_than_images(tmp_path):
    values, labels = sines(24, channels=1, length=2048)
    np.savez(tmp_path / "long.npz", signals=values, labels=labels)
    done = fit(tmp_path / "long.npz", out=tmp_path / "run", size=2000, epochs=1,
               budget="params<=20k, macs<=2M")  # fmt: skip
    assert done.net.input == (1, 2000)
    images = write_squares(tmp_path / "squares")
    with pytest.raises(DataError, match="size is 5000, wanted 1 to 4096 pixels"):
        fit(images, out=tmp_path / "x", size=5000, transfer="none", epochs=1)


def test_a_recipe_gives_operations_of_signals(tmp_path, data, quick):
    (tmp_path / "own.json").write_text(
        json.dumps({"base": "resnet", "operations": to_json([Flip(), Noise(0.1)])})
    )
    done = fit(data, out=tmp_path / "run", recipe=tmp_path / "own.json", **quick)
    assert done.record["job"]["approaches"][0]["recipe"]["operations"] == to_json([Noise(0.1)])
    images = write_squares(tmp_path / "squares")
    with pytest.raises(RecipeError, match="Noise is for signals, the data are images"):
        fit(images, out=tmp_path / "x", recipe=tmp_path / "own.json", transfer="none", **WORDS)


def test_what_is_of_images_is_refused(tmp_path, data, run):
    images = write_squares(tmp_path / "squares")
    for words, said in (({"transfer": "probe"}, "transfer is 'probe', which is for images"),
                        ({"weights": "x"}, "weights is 'x', which is for images"),
                        ({"flip": True}, "flip is True"),
                        ({"net": "resnet18"}, "wanted a net of one dimension")):  # fmt: skip
        with pytest.raises(RunError, match=said) as caught:
            fit(data, out=tmp_path / "run", **words)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"a run of signals, .* holds images"):
        evaluate([run], images)
    with pytest.raises(DataError, match="other views than run and plain"):
        evaluate([run], data, views="ten-crop")
    with pytest.raises(DataError, match="are of images"):
        robustness([run], data)
