"""Arrays in an `.npz`: what is read of it, and what is refused before it is."""

from __future__ import annotations

import io
import tracemalloc
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from numpy.lib import format as npy
from PIL import Image

from netwright.data import load
from netwright.data.image import to_bytes
from netwright.errors import DataError
from squares import pixels

IMAGES, LABELS = np.arange(20 * 64, dtype=np.uint8).reshape(20, 8, 8), np.arange(20) % 2


def packed(values):
    held = io.BytesIO()
    np.save(held, values, allow_pickle=True)
    return held.getvalue()


def said(shape, dtype="|u1", data=b""):
    """An array that says of itself what it likes."""
    held = io.BytesIO()
    npy.write_array_header_2_0(held, {"descr": dtype, "fortran_order": False, "shape": shape})
    return held.getvalue() + data


def write(path, mode=ZIP_DEFLATED, **members):
    whole = {"images": packed(IMAGES), "labels": packed(LABELS), **members}
    with ZipFile(path, "w", mode) as file:
        for name, data in whole.items():
            file.writestr(f"{name}.npy", data)
    return path


def encrypted(path):
    """Every member flagged as encrypted, in its own header and in the table of contents."""
    data = bytearray(write(path).read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(mark, at + 4)
    path.write_bytes(data)
    return path


def damaged(path):
    data = bytearray(write(path, mode=0).read_bytes())
    place = data.index(IMAGES.tobytes()[40:80])
    data[place : place + 9] = b"no pixels"
    path.write_bytes(data)
    return path


def claims(path, size):
    """The table of contents says another size of the images than the file has."""
    data = bytearray(write(path).read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = size.to_bytes(4, "little")
    path.write_bytes(data)
    return path


def test_members_that_nobody_asks_for_are_not_read(tmp_path):
    """Neither a large one, nor one of objects, nor a broken one."""
    path = write(tmp_path / "a.npz", unused=packed(np.zeros(2**25, np.uint8)),
                 objects=packed(np.array([{}, []], object)), broken=b"\x93NUMPY no")  # fmt: skip
    tracemalloc.start()
    data = load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert data.size() == 20
    assert peak < 2**24


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (encrypted, r"labels is encrypted; save it without a password"),
        (damaged, r"images is damaged: Bad CRC-32 for file 'images\.npy'"),
        (lambda path: claims(path, 2**32 - 2), r"images says that it has 4,294,967,294 bytes"),
        (lambda path: claims(path, 700), "images is damaged: Bad CRC-32"),
        (lambda path: write(path, images=said((10**15, 8, 8))),
         r"images is .* 64,000,000,000,000,000 bytes; it has 0"),
        (lambda path: write(path, images=said((-20, 8, 8), data=bytes(1280))), "it has 1,280"),
        (lambda path: write(path, images=said((20, 8, 8), "<f8", bytes(1280))),
         r"of float64 by its header, 10,240 bytes; it has 1,280"),
        (lambda path: write(path, images=said((20, 8, 8), "|O", bytes(1280))), "Python objects"),
        (lambda path: write(path, images=said((20, 8, 8), "no", bytes(9))), "images is damaged"),
        (lambda path: write(path, images=said((2**70,), "V0")), r"images (is|are) "),
        (lambda path: write(path, images=b""), "images is damaged"),
        (lambda path: write(path, images=b"\x93NUMPY\x09\x00" + bytes(99)), "images is damaged"),
        (lambda path: write(path, labels=packed(np.array([{}] * 20, object))), "Python objects"),
        (lambda path: write(path, classes=packed(np.array([{}], object))), "Python objects"),
    ],
)  # fmt: skip
def test_what_is_not_as_it_says_is_one_line(tmp_path, make, fault):
    with pytest.raises(DataError, match=fault) as caught:
        load(make(tmp_path / "a.npz"))
    text = str(caught.value)
    assert "\n" not in text
    assert not [word for word in ("allow_pickle", "max_header_size", "RuntimeError")
                if word in text]  # fmt: skip


def test_arrays_larger_than_the_memory_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = write(tmp_path / "a.npz")
    monkeypatch.setattr("netwright.data.npz.memory", lambda: 1000)
    with pytest.raises(DataError, match=r"images is .* 1,280 bytes; this machine has 1,000\."):
        load(path)


def test_fortran_order_and_all_kinds_of_zip(tmp_path):
    from zipfile import ZIP_BZIP2, ZIP_LZMA, ZIP_STORED

    for mode in (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA):
        path = write(tmp_path / "a.npz", mode, images=packed(np.asfortranarray(IMAGES)))
        assert (pixels(load(path))[..., 0] == IMAGES).all()


def test_scaling_in_pieces_is_scaling_at_once(monkeypatch):
    values = np.random.default_rng(0).random((7, 5, 3))
    whole = to_bytes(values, (0.0, 1.0))
    monkeypatch.setattr("netwright.data.image.CHUNK", 9)
    assert (to_bytes(values, (0.0, 1.0)) == whole).all()
    assert np.abs(whole - 255 * values).max() <= 0.5


def jpegs(count=20, side=12, seed=0):
    generator, files = np.random.default_rng(seed), []
    for _ in range(count):
        page = io.BytesIO()
        values = generator.integers(0, 256, (side, side, 3)).astype(np.uint8)
        Image.fromarray(values).save(page, "JPEG")
        files.append(page.getvalue())
    return files


def packed_files(path, files, **changes):
    arrays = {
        "jpeg": np.frombuffer(b"".join(files), np.uint8),
        "offsets": np.cumsum([0, *map(len, files)]),
        "labels": np.arange(len(files), dtype=np.uint8) % 2,
        "classes": np.array(["cat", "dog"]),
    } | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_packed_files_are_what_they_are_in_a_folder(tmp_path):
    files = jpegs()
    found = load(packed_files(tmp_path / "a.npz", files))
    for i, data in enumerate(files):
        home = tmp_path / "all" / found.classes[i % 2]
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{i:02}.jpg").write_bytes(data)
    folder = load(tmp_path / "all")
    assert found.classes == folder.classes == ("cat", "dog")
    order = [*range(0, 20, 2), *range(1, 20, 2)]
    assert (pixels(found)[order] == pixels(folder)).all()
    assert found.survey.common() == {"sizes": {"12x12": 20}, "modes": {"RGB": 20}}
    assert found.preprocessing().image(files[3]).tolist() == pixels(found)[3].tolist()


def test_a_packed_file_that_is_broken_is_named(tmp_path):
    files = jpegs()
    files[4], files[7] = b"", files[7][:200]
    files[9] = files[9].removesuffix(b"\xff\xd9")
    found = load(packed_files(tmp_path / "a.npz", files))
    assert [fault.partition(":")[0] for fault in found.unreadable] == ["jpeg[4]", "jpeg[7]"]
    assert found.notes == ["jpeg[9]: the file lacks its end marker; all of its pixels are there"]
    changed = load(packed_files(tmp_path / "b.npz", [*files[:19], files[0]]))
    assert changed.fingerprint != found.fingerprint


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"offsets": None}, "has jpeg, but no offsets; wanted where each file begins"),
        ({"offsets": None, "labels": None}, "no offsets and no labels"),
        ({"offsets": np.arange(20)}, r"offsets is \(20,\) of int64 for 20 labels; wanted \(21,\)"),
        ({"offsets": np.zeros(21)}, "of float64 for 20 labels"),
        ({"offsets": np.arange(21)[::-1]}, "offsets do not go up from 0"),
        ({"offsets": np.arange(21) - 1}, "offsets do not go up from 0"),
        ({"offsets": np.arange(21) * 10**6}, "offsets do not go up from 0"),
        ({"jpeg": np.zeros(9)}, r"jpeg is \(9,\) of float64; wanted \(bytes,\) of uint8"),
        ({"labels": np.arange(0), "offsets": np.arange(1)}, "holds no image"),
    ],
)
def test_packed_files_that_cannot_be_are_one_line(tmp_path, changes, fault):
    with pytest.raises(DataError, match=fault):
        load(packed_files(tmp_path / "a.npz", jpegs(), **changes))


def test_spectrograms_are_squeezed_not_cropped(tmp_path):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 40, (20, 16, 48)).astype(np.uint8)
    images[10:, :, :4] = 255  # what tells the classes apart is at the very left
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(20) // 10)
    found = load(tmp_path / "a.npz")
    kept = found.preprocessing()
    assert (kept.size, kept.crop) == (16, "squash")
    seen = pixels(found)[..., 0]
    assert seen[10:, :, 0].min() > 200
    assert seen[:10].max() < 50
    assert (kept.image(images[12])[..., 0] == seen[12]).all()
