"""Arrays with something wrong in them are learnt from, or refused in one line."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import numpy as np
from mutations import broken, is_one_line
from numpy.lib import format as npy

from netwright.data import load
from netwright.errors import DataError
from squares import pixels

TYPES = ("u1", "i1", "<u2", ">u2", "<i4", "<f2", "<f4", ">f8", "?", "<U3", "S2", "<c8", "<M8[s]")
SIZES = (0, 1, 2, 3, 4, 8, 9, 2**20, 2**40, -1)


def array(random: Random, shape: tuple[int, ...]) -> bytes:
    """An `.npy` of any type; now and then its header says something else."""
    dtype = np.dtype(random.choice(TYPES))
    values = np.frombuffer(random.randbytes(int(np.prod(shape))), np.uint8).reshape(shape)
    if dtype.kind == "f":
        values = values.astype(float) * random.choice([1, 1 / 255, -1, np.nan])
    held = io.BytesIO()
    with np.errstate(all="ignore"):
        np.save(held, values.astype(dtype))
    if random.random() < 0.2:
        wrong = tuple(random.choice(SIZES) for _ in range(random.randrange(5)))
        head = {"descr": dtype.str, "fortran_order": random.random() < 0.5, "shape": wrong}
        lying = io.BytesIO()
        random.choice([npy.write_array_header_1_0, npy.write_array_header_2_0])(lying, head)
        return lying.getvalue() + held.getvalue()[128:]
    return held.getvalue()


def labels(random: Random, count: int) -> bytes:
    held = io.BytesIO()
    kinds = random.randrange(1, 5)
    values = np.array([random.randrange(kinds) for _ in range(count)])
    dtype = random.choice(["i8", "u1", "f4", "U2", "S1", "?", "O"])
    np.save(held, values.astype(dtype), allow_pickle=True)
    return held.getvalue()


def write(path: Path, random: Random) -> None:
    """An `.npz` of images and labels, most of which would do."""
    count, side = random.choice([0, 3, 12, 20]), random.choice([1, 4, 8, 9])
    channels = random.choice([(), (1,), (3,), (4,), (2,)])
    shape = (count, side, side, *channels)
    if channels and random.random() < 0.3:
        shape = (count, *channels, side, side)
    names = random.choice([("images", "labels"), ("x_train", "y_train"), ("data", "target")])
    members = {names[0]: array(random, shape), names[1]: labels(random, count)}
    if random.random() < 0.3:
        members["classes"] = labels(random, random.randrange(6))
    if names[0] == "x_train" and random.random() < 0.5:
        members |= {"x_test": array(random, shape), "y_test": labels(random, count)}
    mode = random.choice([ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
    with ZipFile(path, "w", mode) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", broken(data, random) if random.random() < 0.1 else data)
    if random.random() < 0.4:
        path.write_bytes(broken(path.read_bytes(), random))


def test_arrays(fuzz, tmp_path):
    path, read = tmp_path / "a.npz", list[int]()

    def case(random: Random) -> None:
        write(path, random)
        try:
            data = load(path)
        except DataError as error:
            is_one_line(error)
            return
        images, kept = pixels(data), data.preprocessing()
        read.append(len(images))
        assert images.dtype == np.uint8
        assert images.shape == (data.size(), kept.size, kept.size, kept.channels)
        assert sorted(np.concatenate(list(data.splits.values()))) == list(range(len(data.labels)))
        assert data.labels.max() < len(data.classes)
        assert np.isfinite([*kept.mean, *kept.std]).all()

    fuzz(200, case)
    assert read
