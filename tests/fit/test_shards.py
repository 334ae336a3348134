"""Tar shards of webdataset: the same examples as it reads, in any order, resumed anywhere."""

from __future__ import annotations

import functools
import http.server
import io
import json
import socket
import tarfile
import threading
import tracemalloc

import numpy as np
import pytest
import torch
import webdataset
from PIL import Image
from webdataset.tariterators import group_by_keys, tar_file_iterator

from netwright.cli import main
from netwright.data import dataset as room
from netwright.data import load
from netwright.data.augment import CutMix, Flip, Shift
from netwright.data.shards import _expanded, _fault, read_shards
from netwright.data.stream import Memory, Stream
from netwright.errors import DataError
from netwright.look.images import images_of
from netwright.train import fit, resume
from netwright.train.batches import Images, Place
from netwright.train.recipe import Recipe
from squares import COLOURS, TINY, square

COUNT = 60
RECIPE = Recipe(batch=8, operations=(Shift(), Flip(), CutMix()))
CPU = torch.device("cpu")


def test_an_address_that_nobody_answers_is_told_in_a_line(tmp_path, capsys):
    with socket.socket() as taken:  # a port that nobody listens at
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/a.tar"
        with pytest.raises(SystemExit) as stop:
            main(["fit", address, "--quiet", "--out", str(tmp_path / "run")])
    assert stop.value.code == 2
    assert capsys.readouterr().err == (
        f"netwright: {address} cannot be fetched: nobody answers there; try whether it opens "
        "elsewhere, or copy the shards here\n"
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("((['curl', '-f'],), {}): exit 22 (read) {}", "the server has no such file, or does not"),
        ("((['curl', '-f'],), {}): exit 77 (read) {}", "curl ended with exit code 77"),
        ("((['gsutil', 'cat'],), {}): exit 6 (read) {}", "gsutil ended with exit code 6"),
        ("no\nroute", "no route"),
    ],
)
def test_exit_codes_are_told_in_words(error, words):
    assert _fault(OSError(error)).startswith(words)


def examples(count=COUNT, seed=0):
    generator = np.random.default_rng(seed)
    for i in range(count):
        name = sorted(COLOURS)[i % 3]
        page = io.BytesIO()
        Image.fromarray(square(COLOURS[name], generator)).save(page, "PNG")
        yield f"{i:04}", page.getvalue(), name


def write(folder, prefix="set", count=COUNT, form="cls", seed=0):
    """Shards of twenty examples, as webdataset writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    pattern = str(folder / f"{prefix}-%03d.tar")
    with webdataset.ShardWriter(pattern, maxcount=20, verbose=0) as writer:
        for key, image, name in examples(count, seed):
            label = name if form == "cls" else json.dumps({"label": name, "more": [1]})
            writer.write({"__key__": key, "png": image, form: label.encode(), "txt": b"words"})
    return folder


@pytest.fixture
def shards(tmp_path):
    return write(tmp_path / "shards")


@pytest.mark.parametrize("form", ["cls", "json"])
def test_examples_are_those_that_webdataset_reads(tmp_path, form):
    folder = write(tmp_path / "a", form=form)
    listing = read_shards(str(folder / "set-{000..002}.tar"))
    rows = list[dict]()
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            members = [{**row, "__url__": str(path)} for row in tar_file_iterator(file)]
        rows += group_by_keys(members)
    for i, example in enumerate(rows):
        assert listing.names[i].endswith(f":{example['__key__']}")
        assert listing.reader.file(i) == example["png"]
        text = example[form].decode()
        assert listing.classes[listing.labels[i]] == (
            text if form == "cls" else json.loads(text)["label"]
        )
    assert len(rows) == len(listing.names) == COUNT


def test_folder_pattern_and_one_tar(shards):
    whole = load(shards)
    assert whole.size() == COUNT
    assert whole.classes == ("blue", "green", "red")
    assert load(f"{shards}/set-{{000..002}}.tar").names == whole.names
    assert load(shards / "set-001.tar").size() == 20


def test_images_in_shards_can_be_looked_at(shards):
    dataset = load(shards)
    images, seen = images_of(dataset), dataset.preprocessing(8)
    reader = dataset.listing.reader
    assert len(images) == COUNT
    for place, i in list(enumerate(dataset.indices("train", "val", "test").tolist()))[::7]:
        assert np.array_equal(seen.image(images[place]), reader.read(i, seen, []))


def test_splits_are_in_the_names(tmp_path):
    folder = tmp_path / "parts"
    for prefix, count, seed in (("train", 30, 0), ("val", 9, 1), ("test", 12, 2)):
        write(folder, prefix, count, seed=seed)
    data = load(folder)
    assert {part: data.size(part) for part in data.splits} == {"train": 30, "val": 9, "test": 12}
    for prefix, count, seed in (("train", 30, 0), ("validation", 9, 1), ("test", 12, 2)):
        write(tmp_path / "homes" / prefix, "x", count, seed=seed)
    homes = load(tmp_path / "homes")
    assert [homes.size(part) for part in ("train", "val", "test")] == [30, 9, 12]


def test_numbers_sort_by_value(tmp_path):
    with webdataset.TarWriter(str(tmp_path / "n.tar")) as writer:
        for i, (key, image, _) in enumerate(examples(44)):
            writer.write({"__key__": key, "png": image, "cls": i % 11})
    assert load(tmp_path / "n.tar").classes == tuple(map(str, range(11)))


def images(data):
    preprocessing, indices = data.preprocessing(), data.indices("train")
    source = data.sequence(indices, preprocessing, CPU)
    return Images(source, data.labels[indices], len(data.classes), preprocessing, CPU)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_gives_what_memory_gives_and_resumes_anywhere(shards, monkeypatch, workers):
    kept = images(load(shards))
    assert isinstance(kept.source, Memory)
    monkeypatch.setattr(room, "IN_MEMORY", 1000)
    streamed = images(load(shards, workers=workers))
    assert isinstance(streamed.source, Stream)
    whole = list(kept.epoch(RECIPE, 5, 1))
    for first in (0, 2):
        pairs = zip(streamed.epoch(RECIPE, 5, 1, first=first), whole[first:], strict=True)
        for (x, labels), (wanted, truth) in pairs:
            assert torch.equal(x, wanted)
            assert torch.equal(labels, truth)
    if not workers:
        halves = [list(streamed.epoch(RECIPE, 5, 1, place=Place(rank, 2))) for rank in range(2)]
        for step, (x, _) in enumerate(whole):
            assert torch.equal(x, torch.cat([half[step][0] for half in halves]))


def test_memory_does_not_grow_with_the_number_of_images(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "IN_MEMORY", 1000)
    peaks = []
    for count in (60, 240):
        source = images(load(write(tmp_path / str(count), count=count), workers=0)).source
        list(source.stream(torch.arange(len(source)).split(8)))
        tracemalloc.start()
        for _ in source.stream(torch.arange(len(source)).split(8)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_run_on_shards_goes_on_to_the_bit(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "IN_MEMORY", 1000)
    words = {"budget": TINY, "epochs": 1, "workers": 0, "transfer": "none"}
    whole = fit(shards, out=tmp_path / "whole", **words)
    real, steps = Images.epoch, []

    def broken(self, *rest, **more):
        for batch in real(self, *rest, **more):
            steps.append(1)
            if len(steps) == 3:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(Images, "epoch", broken)
    with pytest.raises(KeyboardInterrupt):
        fit(shards, out=tmp_path / "run", **words)
    run = resume(tmp_path / "run")
    for name in ("weights.safetensors", "metrics.jsonl", "predictions.csv"):
        assert (run.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_remote_shards_are_fetched_once_and_kept(shards):
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, form, *rest):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(shards))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}"
        data = load(home + "/set-{000..002}.tar")
        assert data.names == load(shards).names
        assert data.fingerprint == load(shards).fingerprint
        assert len(asked) == 3
        load(home + "/set-{000..002}.tar")
        assert len(asked) == 3
        with pytest.raises(DataError, match=r"set-009\.tar cannot be fetched"):
            load(home + "/set-{009..009}.tar")
        server.shutdown()


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.tar", ["a.tar"]),
        ("a-{8..10}.tar", ["a-8.tar", "a-9.tar", "a-10.tar"]),
        ("{0..1}/b-{00..01}.tar", ["0/b-00.tar", "0/b-01.tar", "1/b-00.tar", "1/b-01.tar"]),
    ],
)
def test_patterns_are_those_of_webdataset(pattern, names):
    from webdataset.shardlists import expand_urls

    assert _expanded(pattern) == expand_urls(pattern) == names


def tar(path, files):
    with tarfile.open(path, "w") as page:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            page.addfile(info, io.BytesIO(data))
    return path


def test_what_is_no_set_of_shards_is_told(shards, tmp_path):
    png = next(examples())[1]
    two = [("1.png", png), ("1.jpg", png), ("1.cls", b"0")]
    cases = [
        (tar(tmp_path / "n.tar", [("1.png", png)]), r"1 has no label; wanted 1\.cls, or a label"),
        (tar(tmp_path / "e.tar", [("1.png", png), ("1.json", b"[1")]), "1 has no label"),
        (tar(tmp_path / "t.tar", [("1.txt", b"a")]), "no image in 1 shard"),
        (tar(tmp_path / "d.tar", two), "has 2 images"),
        (tar(tmp_path / "o.tar", [("1.png", png), ("1.png", png)]), r"holds two of 1\.png"),
        (tmp_path / "gone-{0..1}.tar", "gone-0.tar cannot be read: No such file"),
        (tmp_path / "x-{3..1}.tar", "names 0 shards"),
        (tmp_path / "x-{a,b}.tar", "braces stand for a range of numbers"),
        ("s3://bucket/x.tar", "shards are read from http, https"),
        ("pipe://rm/x.tar", "shards are read from http, https"),
    ]  # fmt: skip
    (tmp_path / "z.tar").write_bytes(b"no tar at all" * 100)
    cases.append((tmp_path / "z.tar", "is no whole tar"))
    whole = (shards / "set-000.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:5000])
    cases.append((tmp_path / "cut.tar", "is no whole tar|shorter|can be read"))
    for data, said in cases:
        with pytest.raises(DataError, match=said) as caught:
            load(data)
        assert "\n" not in str(caught.value)


def test_a_shard_that_goes_away_is_told(shards):
    data = load(shards)
    (shards / "set-000.tar").write_bytes(b"")
    with pytest.raises(DataError, match="shorter than it was"):
        data.listing.reader.file(0)
    (shards / "set-000.tar").unlink()
    with pytest.raises(DataError, match="No such file"):
        data.listing.reader.file(0)


def test_a_changed_image_is_changed_data(shards, tmp_path):
    before = load(shards).fingerprint
    write(tmp_path / "other", seed=1)
    assert load(write(tmp_path / "same")).fingerprint == before
    assert load(tmp_path / "other").fingerprint != before
