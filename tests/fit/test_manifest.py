"""Tables of images, and what a weight does to the loss."""

from __future__ import annotations

import csv
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from netwright import GlobalAvgPool, Linear, Net, Sequential
from netwright.data import Preprocessing, load
from netwright.data.mixing import CutMix, Mixup, shared
from netwright.data.stream import Memory
from netwright.errors import DataError
from netwright.train.batches import Images, Place
from netwright.train.learner import Learner
from netwright.train.probe import fit_linear
from netwright.train.recipe import Recipe
from squares import pixels, write_squares

NET = Net(Sequential(pool=GlobalAvgPool(), fc=Linear(3)), (2, 6, 6))
CPU = torch.device("cpu")


def table(path, rows, header=("path", "label", "split", "weight")):
    """A CSV of rows of text, read as Parquet where the name says so."""
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        import pyarrow as pa

        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]
        parquet.write_table(pa.table(dict(zip(header, columns, strict=True))), path)
    return path


@pytest.fixture
def rows(tmp_path):
    """Twelve squares of each colour: four to learn from, and to validate and test."""
    home = write_squares(tmp_path / "images", 12)
    parts = ("train", "Valid", "testing")
    return [
        (path.relative_to(tmp_path).as_posix(), path.parent.name, parts[i % 3], 1.0 + i % 2)
        for i, path in enumerate(sorted(home.rglob("*.png")))
    ]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_says_labels_splits_and_weights(tmp_path, rows, suffix):
    found = load(table(tmp_path / f"all{suffix}", rows))
    assert found.classes == ("blue", "green", "red")
    assert [found.size(part) for part in ("train", "val", "test")] == [12, 12, 12]
    for i, (name, label, part, weight) in enumerate(rows):
        assert found.names[i] == name
        assert found.classes[found.labels[i]] == label
        assert i in found.splits[{"Valid": "val", "testing": "test"}.get(part, part)]
        assert found.listing.weights[i] == weight
    by_folder = load(tmp_path / "images")
    assert (pixels(found) == pixels(by_folder)).all()
    train = found.splits["train"]
    assert found.weights(train).mean() == pytest.approx(1)
    assert found.weights(found.splits["val"])[0] == pytest.approx(2 / 1.5)


@pytest.mark.parametrize("suffix", [".CSV", ".Parquet"])
def test_the_ending_may_be_large(tmp_path, rows, suffix):
    made = table(tmp_path / f"all{suffix.lower()}", rows)
    assert load(made.rename(tmp_path / f"copy{suffix}")).size() == len(rows)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_splits_and_weights_may_be_left_out(tmp_path, rows, suffix):
    short = [row[:2] for row in rows]
    found = load(table(tmp_path / f"all{suffix}", short, ("path", "label")))
    assert found.size() == 36
    assert found.weights(found.splits["train"]) is None
    assert all(found.counts(part) for part in ("train", "val", "test"))


def test_numbers_are_classes_by_their_value_and_paths_may_be_absolute(tmp_path, rows):
    numbered = [(tmp_path / row[0], 7 + 2 * i // 12, "", "") for i, row in enumerate(rows)]
    (tmp_path / "tables").mkdir()
    found = load(table(tmp_path / "tables" / "all.csv", numbered))
    assert found.classes == ("7", "8", "9", "10", "11", "12")
    assert set(found.listing.weights) == {1.0}


def test_a_changed_weight_is_changed_data(tmp_path, rows):
    first = load(table(tmp_path / "all.csv", rows))
    rows[0] = (*rows[0][:3], 9.0)
    assert load(table(tmp_path / "all.csv", rows)).fingerprint != first.fingerprint


def test_what_an_editor_adds_does_no_harm(tmp_path, rows):
    """A byte order mark, capitals and spaces in the header, more columns, empty lines, quotes."""
    lines = ["id, Label ,PATH", *(f'{i},"{row[1]}",{row[0]}' for i, row in enumerate(rows)), "", ""]
    (tmp_path / "all.csv").write_text("\r\n".join(lines), encoding="utf-8-sig")
    assert load(tmp_path / "all.csv").size() == 36


def _bad(change):
    def write(tmp_path, rows):
        return table(tmp_path / "all.csv", change(rows))

    return write


def _cell(at, column, value):
    return _bad(lambda rows: [
        tuple(value if (i, j) == (at, column) else cell for j, cell in enumerate(row))
        for i, row in enumerate(rows)
    ])  # fmt: skip


def _raw(data, name="all.csv"):
    def write(tmp_path, rows):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (_cell(4, 0, "gone.png"), "not there: 1 of 36 files, the first in row 6: gone.png"),
        (_cell(4, 0, "images"), "not there: 1 of 36 files"),
        (_cell(0, 0, ""), "row 2 has '' for a path; wanted text"),
        (_cell(7, 1, " "), "row 9 has ' ' for a label"),
        (_cell(3, 2, "holdout"), "row 5 has the split 'holdout'; wanted train, val, test"),
        (_cell(3, 3, "much"), "row 5 has the weight 'much'; wanted a number"),
        (_cell(3, 3, "-1"), "row 5 has the weight '-1'"),
        (_cell(3, 3, "nan"), "row 5 has the weight 'nan'"),
        (_bad(lambda rows: []), "lists no image; wanted a row an image under path, label, split"),
        (_bad(lambda rows: [row[:2] for row in rows]), "line 2 has 2 fields, the first 4"),
        (_bad(lambda rows: [(*row[:3], 0) for row in rows]), "class 'blue' have the weight 0"),
        (_bad(lambda rows: [row for row in rows if row[1] != "red" or row[2] == "testing"]),
         "class 'red' has images in test, but none to train"),
        (_raw(b""), "has no column path and no label, but none; wanted path and label"),
        (_raw(b"file,class\na,b\n"), "has no column path and no label, but file, class"),
        (_raw(b"path,label,path\na,b,c\n"), "has two columns path"),
        (_raw(b"path,label\n\xff\xfe,b\n"), "is no text in UTF-8"),
        (_raw(b'path,label\n"a,b\n'), "is no CSV: unexpected end of data"),
        (_raw(b"path,label\na\0b,c\n"), r"row 2 has 'a\\x00b' for a path|is no CSV"),
    ],
)  # fmt: skip
def test_bad_tables_are_one_clear_line(tmp_path, rows, make, fault):
    with pytest.raises(DataError, match=fault) as caught:
        load(make(tmp_path, rows))
    assert "\n" not in str(caught.value)


def test_bad_parquet_is_one_clear_line(tmp_path, rows):
    pytest.importorskip("pyarrow")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="is no Parquet file: "):
        load(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has no column label, but path, class"):
        load(table(tmp_path / "b.parquet", [row[:2] for row in rows], ("path", "class")))
    with pytest.raises(DataError, match="row 2 has None for a label"):
        load(table(tmp_path / "c.parquet", [(row[0], None) for row in rows], ("path", "label")))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"pip install 'netwright\[parquet\]', or a \.csv"):
        load(tmp_path / "a.parquet")


LABELS = np.arange(20) % 3
WEIGHTS = np.random.default_rng(1).random(20) * 2


@pytest.fixture
def images():
    values = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 2)).astype(np.uint8)
    kept = Preprocessing(6, 2, (0.5, 0.4), (0.2, 0.3))
    return Images(Memory(values, CPU), LABELS, 3, kept, CPU, WEIGHTS)


def learner(class_weights=None, **changes):
    recipe = Recipe(**{"batch": 20, "operations": (), "rate": 0.0} | changes)
    return Learner(NET.build(seed=1), recipe, epochs=1, class_weights=class_weights)


def losses(model, images):
    """The unweighted cross entropy of every image, and its class."""
    x = next(images.inorder())
    return F.cross_entropy(model(x).detach(), torch.from_numpy(LABELS), reduction="none")


@pytest.mark.parametrize("classes", [None, torch.tensor([0.5, 2.0, 1.0])])
@pytest.mark.parametrize("accumulate", [1, 4])
def test_a_loss_is_the_mean_of_weighted_losses(images, classes, accumulate):
    made = learner(classes, smoothing=0.0, accumulate=accumulate)
    share = 1 if classes is None else classes[LABELS]
    wanted = (losses(made.model, images) * torch.from_numpy(WEIGHTS) * share).mean()
    (loss,) = made.epoch(images)
    assert loss == pytest.approx(float(wanted), rel=1e-5)


def test_smoothing_keeps_the_weight_of_an_image(images):
    made = learner(smoothing=0.3)
    x = next(images.inorder())
    logs = made.model(x).detach().log_softmax(1)
    shares = 0.7 * F.one_hot(torch.from_numpy(LABELS), 3) + 0.1
    wanted = (-(shares * logs).sum(1) * torch.from_numpy(WEIGHTS)).mean()
    (loss,) = made.epoch(images)
    assert loss == pytest.approx(float(wanted), rel=1e-5)


@pytest.mark.parametrize("mixing", [Mixup(1.0), CutMix()])
def test_mixed_images_share_the_weights(images, mixing):
    """The sum over a batch of all pairs: what one image gains, its neighbour loses, weighted."""
    recipe = Recipe(batch=20, operations=(mixing,))
    ((_, labels),) = images.epoch(recipe, 0, 0)
    parts = [next(images.epoch(recipe, 0, 0, place=Place(rank, 2)))[1] for rank in range(2)]
    assert torch.equal(labels, torch.cat(parts))
    images.weights = None
    ((_, shares),) = images.epoch(recipe, 0, 0)
    assert torch.allclose(shares.sum(1), torch.ones(20), atol=1e-6)
    ratio = labels.sum(1)
    assert ratio.min() >= WEIGHTS.min() - 1e-6
    assert ratio.max() <= WEIGHTS.max() + 1e-6
    own = torch.tensor([float(WEIGHTS[i]) for i in _order(images)])
    kept = shares.gather(1, _labels(images)[:, None])[:, 0]
    other = own.view(-1, 2).flip(1).reshape(-1)
    differ = _labels(images) != _labels(images).view(-1, 2).flip(1).reshape(-1)
    wanted = kept * own + (1 - kept) * other
    assert torch.allclose(ratio[differ], wanted[differ], atol=1e-5)


def _order(images):
    from netwright.train.batches import _generator

    return torch.randperm(20, generator=_generator(0, 0, "order")).tolist()


def _labels(images):
    return images.labels[_order(images)]


def test_a_linear_model_takes_an_image_of_weight_two_for_two():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(1, 60, 5))
    labels = (features[0, :, 0] + generator.normal(size=60) > 0).astype(int)
    weights = 1.0 + np.arange(60) % 2
    twice = np.repeat(np.arange(60), weights.astype(int))
    given = fit_linear(features, labels, 2, 0.1, weights)
    copied = fit_linear(features[:, twice], labels[twice], 2, 0.1)
    plain = fit_linear(features, labels, 2, 0.1)
    assert np.allclose(given.weight, copied.weight, atol=1e-3)
    assert not np.allclose(given.weight, plain.weight, atol=1e-2)


def test_hard_labels_are_shares_of_one_class():
    labels = torch.tensor([2, 0])
    assert torch.equal(shared(labels, 3), torch.tensor([[0.0, 0, 1], [1, 0, 0]]))
