"""Sets of Hugging Face `datasets`: found columns, kept splits, encoded until needed."""

from __future__ import annotations

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from netwright.data import dataset as room
from netwright.data import load
from netwright.data.hub import TableReader
from netwright.data.source import called
from netwright.data.stream import Stream
from netwright.errors import DataError, RunError
from netwright.train import Run, fit, resume
from squares import COLOURS, TINY, pixels, square

NAMES = sorted(COLOURS)


@pytest.fixture(autouse=True)
def _offline(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def rows(count=30, seed=0, image="image", label="label", kind=None):
    generator = np.random.default_rng(seed)
    values = [i % 3 for i in range(count)]
    pictures = [Image.fromarray(square(COLOURS[NAMES[value]], generator)) for value in values]
    features = datasets.Features(
        {image: datasets.Image(), label: kind or datasets.ClassLabel(names=NAMES)}
    )
    shown = values if kind is None else [NAMES[value] for value in values]
    return datasets.Dataset.from_dict({image: pictures, label: shown}, features=features)


def parts(**counts):
    return datasets.DatasetDict(
        {name: rows(count, seed) for seed, (name, count) in enumerate(counts.items())}
    )


def test_pixels_and_labels_are_those_of_the_rows():
    table = rows().shuffle(seed=3)
    data = load(table)
    assert data.classes == tuple(NAMES)
    found = pixels(data)
    for i in range(len(table)):
        assert np.array_equal(found[i], np.asarray(table[i]["image"]))
        assert data.labels[i] == table[i]["label"]


def test_splits_are_kept_and_strange_ones_told(tmp_path):
    data = load(parts(train=30, validation=9, test=12, unsupervised=6))
    assert [data.size(part) for part in ("train", "val", "test")] == [30, 9, 12]
    assert any("split unsupervised of 6 images" in note for note in data.notes)


@pytest.mark.parametrize(("image", "label"), [("img", "fine_label"), ("scan", "finding")])
def test_columns_are_found_by_their_types(image, label):
    table = rows(image=image, label=label)
    table = table.add_column("id", list(range(30)))
    assert load(table).classes == tuple(NAMES)


def test_labels_may_be_words_and_may_lack():
    data = load(rows(kind=datasets.Value("string")))
    assert data.classes == tuple(NAMES)
    table = parts(train=30, test=9)
    values = {"image": [Image.new("RGB", (12, 12))] * 2, "label": [-1, -1]}
    blank = datasets.Dataset.from_dict(values, features=table["train"].features)
    table["test"] = datasets.concatenate_datasets([table["test"], blank])
    data = load(table)
    assert data.size("test") == 9
    assert any("2 rows without label" in note for note in data.notes)


def test_saved_and_named_sets_are_the_same_images(tmp_path, monkeypatch):
    table = parts(train=30, validation=9, test=12)
    table.save_to_disk(tmp_path / "saved")
    for name in table:
        (tmp_path / "hub").mkdir(exist_ok=True)
        table[name].to_parquet(tmp_path / "hub" / f"{name}.parquet")
    held = load(table)
    for data in (load(tmp_path / "saved"), load(f"hf:{tmp_path / 'hub'}")):
        assert data.names == held.names
        assert np.array_equal(pixels(data), pixels(held))
        assert data.fingerprint == held.fingerprint
        assert isinstance(data.listing.reader, TableReader)
    rows(seed=5).save_to_disk(tmp_path / "one")
    assert load(tmp_path / "one").size() == 30


def test_files_beside_a_table_are_read(tmp_path, squares):
    """`imagefolder` keeps paths, not bytes."""
    data = load(datasets.load_dataset("imagefolder", data_dir=str(squares)))
    assert data.classes == tuple(NAMES)
    assert np.array_equal(np.sort(pixels(data), 0), np.sort(pixels(load(squares)), 0))


def test_a_large_set_is_streamed_by_processes(monkeypatch):
    data = load(rows(), workers=2)
    held = pixels(data)
    monkeypatch.setattr(room, "IN_MEMORY", 100)
    indices = np.arange(30)
    source = load(rows(), workers=2).sequence(indices, data.preprocessing(), torch.device("cpu"))
    assert isinstance(source, Stream)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    found = torch.cat(list(source.stream(order.split(7)))).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(found, held[order.numpy()])


def test_a_run_on_a_set_in_memory(tmp_path):
    table = rows(30)
    words = {"budget": TINY, "epochs": 1, "transfer": "none"}
    with pytest.raises(RunError, match="got a data set in memory; give the folder"):
        fit(table, out=tmp_path / "run", search=True)
    run = fit(table, out=tmp_path / "run", **words)
    assert Run.load(run.path).record["settings"]["data"] == "object:Dataset"
    assert resume(run.path).metrics == run.metrics
    (run.path / "metrics.json").unlink()
    with pytest.raises(DataError, match="Dataset was in memory; give it again"):
        resume(run.path)
    assert resume(run.path, table).metrics["test"] == run.metrics["test"]


def test_broken_images_are_left_out(tmp_path):
    table = rows(30).cast_column("image", datasets.Image(decode=False))
    images = [row["image"] for row in table]
    images[4] = {"bytes": b"no", "path": None}
    values = {"image": images, "label": table["label"][:]}
    bad = datasets.Dataset.from_dict(values, features=table.features)
    data = load(bad.cast_column("image", datasets.Image()))
    assert data.unreadable == ["row[4]: no image that Pillow knows"]
    assert data.size() == 29


def test_what_is_no_set_of_images_is_told(tmp_path):
    none = datasets.Dataset.from_dict({"text": ["a"], "label": [0]})
    several = datasets.Sequence(datasets.Value("int64"))
    many = datasets.Dataset.from_dict(
        {"image": [Image.new("L", (9, 9))], "label": [[0, 1]]},
        features=datasets.Features({"image": datasets.Image(), "label": several}),
    )
    cases = [
        (none, r"has columns text \(Value\), label \(Value\); wanted one of images"),
        (rows(label="kind", kind=datasets.Value("string")), "wanted one of classes"),
        (many, "wanted one of classes"),
        (rows().to_iterable_dataset(), "load it without streaming"),
        (datasets.DatasetDict({"other": rows()}), "no rows of a split train"),
        ("hf:", "names no data set"),
        (f"hf:{tmp_path / 'gone'}", "cannot be loaded.*; .* set HF_HUB_OFFLINE=1"),
    ]
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "dataset_dict.json").write_text("{")
    cases.append((tmp_path / "broken", "is no whole data set"))
    for data, said in cases:
        with pytest.raises(DataError, match=said) as caught:
            load(data)
        assert "\n" not in str(caught.value)


def test_short_names_for_run_folders():
    assert called(rows()) == "Dataset"
    assert called("hf:owner/flowers:small") == "small"
    assert called("photos/") == "photos"
