"""Many files: listed at once, a sample looked at, decoded by workers, never all in memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import tracemalloc
from importlib import import_module

import numpy as np
import pytest
import torch
from PIL import Image

from netwright.data import dataset as room
from netwright.data import load
from netwright.data.augment import CutMix, Flip, Shift
from netwright.data.listing import FileReader
from netwright.data.stream import Memory, Stream
from netwright.data.survey import each
from netwright.train.batches import Images, Place
from netwright.train.recipe import Recipe

COUNT, SIDE = 240, 24
RECIPE = Recipe(batch=16, operations=(Shift(), Flip(), CutMix()))
CPU = torch.device("cpu")


@pytest.fixture
def many(tmp_path, monkeypatch):
    """A folder of more JPEGs than are looked at, or held."""
    survey = import_module("netwright.data.survey")
    monkeypatch.setattr(survey, "MOST", COUNT // 2)
    monkeypatch.setattr(survey, "SAMPLE", 30)
    monkeypatch.setattr(room, "IN_MEMORY", 1000)
    generator = np.random.default_rng(0)
    for i in range(COUNT):
        home = tmp_path / "many" / f"{i % 3}"
        home.mkdir(parents=True, exist_ok=True)
        values = generator.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
        Image.fromarray(values).save(home / f"{i:04}.jpg")
    return tmp_path / "many"


def images(data, part="train"):
    preprocessing, indices = data.preprocessing(), data.indices(part)
    source = data.sequence(indices, preprocessing, CPU)
    return Images(source, data.labels[indices], len(data.classes), preprocessing, CPU)


def test_only_a_sample_is_opened_before_training(many, monkeypatch):
    opened = []
    for name in ("read", "header"):
        real = getattr(FileReader, name)

        def counted(self, i, *rest, real=real):
            opened.append(i)
            return real(self, i, *rest)

        monkeypatch.setattr(FileReader, name, counted)
    data = load(many)
    assert len(set(opened)) == 30
    assert data.size() == COUNT
    assert data.summary()["looked_at"] == 30
    assert isinstance(images(data).source, Stream)


def test_a_changed_file_that_nobody_looked_at_is_changed_data(many):
    data = load(many)
    other = next(i for i in range(COUNT) if i not in data.survey.looked)
    with (many / data.names[other]).open("ab") as file:
        file.write(b"\0")
    assert load(many).fingerprint != data.fingerprint


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_gives_what_memory_gives_and_resumes_anywhere(many, monkeypatch, workers):
    data = load(many, workers=workers)
    streamed = images(data)
    whole = list(streamed.epoch(RECIPE, 5, 1))
    monkeypatch.setattr(room, "IN_MEMORY", 2**30)
    held = images(load(many))
    assert isinstance(held.source, Memory)
    for (x, labels), (wanted, truth) in zip(whole, held.epoch(RECIPE, 5, 1), strict=True):
        assert torch.equal(x, wanted)
        assert torch.equal(labels, truth)
    for first in (1, len(whole) - 1):
        rest = list(streamed.epoch(RECIPE, 5, 1, first=first))
        assert len(rest) == len(whole) - first
        for (x, labels), (wanted, truth) in zip(rest, whole[first:], strict=True):
            assert torch.equal(x, wanted)
            assert torch.equal(labels, truth)


def test_workers_leave_a_term_to_the_process_that_began_them(many, monkeypatch):
    """As `kill` of a whole group sends it; a worker that died of it would end in a traceback."""
    data = load(many, workers=2)
    monkeypatch.setattr(room, "IN_MEMORY", 0)
    source = data.sequence(data.indices("train"), data.preprocessing(), torch.device("cpu"))
    batches = source.stream(iter(torch.arange(len(source)).split(2)))
    before = [next(batches), next(batches)]  # of both: they have begun
    workers = multiprocessing.active_children()
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker.pid, signal.SIGTERM)
    time.sleep(0.2)
    assert len(torch.cat([*before, *batches])) == len(source)
    for worker in workers:
        worker.join(10)
    assert not any(worker.is_alive() for worker in workers)


def test_two_processes_stream_the_halves_of_one(many):
    streamed = images(load(many, workers=0))
    whole = list(streamed.epoch(RECIPE, 2, 0))
    parts = [list(streamed.epoch(RECIPE, 2, 0, place=Place(rank, 2))) for rank in range(2)]
    for step, (x, _) in enumerate(whole):
        assert torch.equal(x, torch.cat([part[step][0] for part in parts]))


@pytest.mark.parametrize("in_memory", [1000, 2**30])
def test_files_found_broken_later_are_black_and_told(many, monkeypatch, in_memory):
    monkeypatch.setattr(room, "IN_MEMORY", in_memory)
    data = load(many, workers=2)
    train = data.indices("train")
    broken = [int(i) for i in train if i not in data.survey.looked][:2]
    (many / data.names[broken[0]]).write_bytes(b"no image")
    (many / data.names[broken[1]]).unlink()
    found = torch.cat(list(images(data).inorder(50)))
    black = -data.preprocessing().mean[0] / data.preprocessing().std[0]
    for i in broken:
        assert torch.allclose(found[list(train).index(i), 0], torch.tensor(black), atol=1e-5)
    assert data.black == [
        f"{data.names[broken[0]]}: no image that Pillow knows",
        f"{data.names[broken[1]]}: no such file",
    ]


def test_memory_holds_some_batches_whatever_the_number_of_images(many):
    data = load(many, workers=0)
    streamed = images(data)
    batch = 16 * SIDE * SIDE * 3
    list(streamed.epoch(RECIPE, 0, 0))
    tracemalloc.start()
    for _ in streamed.source.stream(torch.arange(len(streamed)).split(16)):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(streamed) * SIDE * SIDE * 3 > 8 * batch
    assert peak < 6 * batch


def test_paths_are_one_array_and_any_bytes(tmp_path):
    """Paths that are no text are files all the same."""
    names = [b"plain.png", "grün.png".encode(), b"\xff\xfe.png"]
    paths = [os.path.join(os.fsencode(tmp_path), name) for name in names]  # noqa: PTH118  bytes
    for path in paths:
        with open(path, "wb") as file:  # noqa: PTH123  bytes
            Image.new("L", (9, 5)).save(file, "PNG")
    reader = FileReader.of([os.fsdecode(path) for path in paths])
    assert reader.paths.dtype.kind == "S"
    assert [reader.header(i) for i in range(3)] == [((9, 5), "L")] * 3
    assert each(reader.fingerprint, range(3)) == [reader.fingerprint(0)] * 3
