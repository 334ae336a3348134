"""Arrays in an `.npz`: what is read of it, and what is refused before it is."""

from __future__ import annotations

import io
import tracemalloc
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from numpy.lib import format as npy

from netwright.data import load
from netwright.data.image import to_bytes
from netwright.errors import DataError

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
    assert data.found["images"] == 20
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
    monkeypatch.undo()
    monkeypatch.setattr("netwright.data.dataset.memory", lambda: 10**5)
    with pytest.raises(DataError, match="20 images of 64 x 64 pixels need 245,760 bytes"):
        load(path, size=64)


def test_fortran_order_and_all_kinds_of_zip(tmp_path):
    from zipfile import ZIP_BZIP2, ZIP_LZMA, ZIP_STORED

    for mode in (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA):
        path = write(tmp_path / "a.npz", mode, images=packed(np.asfortranarray(IMAGES)))
        assert (load(path).pixels[..., 0] == IMAGES).all()


def test_scaling_in_pieces_is_scaling_at_once(monkeypatch):
    values = np.random.default_rng(0).random((7, 5, 3))
    whole = to_bytes(values, (0.0, 1.0))
    monkeypatch.setattr("netwright.data.image.CHUNK", 9)
    assert (to_bytes(values, (0.0, 1.0)) == whole).all()
    assert np.abs(whole - 255 * values).max() <= 0.5
