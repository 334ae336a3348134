"""Image files: scaled by mode, within bounds, what is passed over and what is read all the same."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from netwright.data import Preprocessing, load
from netwright.data.image import read_image
from netwright.data.jpeg import completed
from netwright.data.reading import PIXELS, header, opened
from netwright.errors import DataError
from squares import write_squares


def grey(path, values):
    Image.fromarray(values).save(path)
    return read_image(path, values.shape[0], 1)[..., 0]


@pytest.mark.parametrize("kind", ["png", "tif", "pgm"])
@pytest.mark.parametrize("top", [200, 255, 256, 4095, 65535])
def test_16_bits_are_scaled_by_their_mode(tmp_path, kind, top):
    values = np.full((8, 8), 100, np.uint16)
    values[0, :4] = 0, top, 25700, 257
    values[0, 2] = min(25700, top)
    seen = grey(tmp_path / f"x.{kind}", values)
    assert np.abs(seen - values / 257).max() <= 0.5


def test_the_rest_of_a_picture_does_not_change_a_pixel(tmp_path):
    """The same values alone, and beside brighter ones."""
    for dtype, steps in ((np.uint16, (100, 5000, 30000)), (np.float32, (0.1, 0.4, 0.9)),
                         (np.int32, (100, 5000, 30000))):  # fmt: skip
        alone = np.resize(np.array(steps, dtype), (8, 8))
        beside = alone.copy()
        beside[7] = 65535 if dtype != np.float32 else 1
        first, second = grey(tmp_path / "a.tif", alone), grey(tmp_path / "b.tif", beside)
        assert (first[:7] == second[:7]).all()
        assert (second[7] == 255).all()


@pytest.mark.parametrize(
    "values",
    [
        np.full((8, 8), 70000, np.int32),
        np.full((8, 8), -5, np.int32),
        np.full((8, 8), 1.5, np.float32),
        np.full((8, 8), np.nan, np.float32),
        np.full((8, 8), -np.inf, np.float32),
    ],
)
def test_values_outside_the_mode_are_refused(tmp_path, values):
    Image.fromarray(values).save(tmp_path / "x.tif")
    with pytest.raises(
        DataError, match=r"x\.tif: values from .* of mode .; wanted 0 to (1|65,535),"
    ):
        read_image(tmp_path / "x.tif", 8, 1)


def jpeg(progressive=False, restart=0, side=48, seed=0):
    held = io.BytesIO()
    values = np.random.default_rng(seed).integers(0, 255, (side, side + 5, 3)).astype(np.uint8)
    Image.fromarray(values).save(held, "JPEG", progressive=progressive,
                                 restart_marker_blocks=restart)  # fmt: skip
    return held.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restart", [0, 2])
def test_a_jpeg_lacking_its_end_marker_is_complete_and_one_lacking_more_is_not(
    progressive, restart
):
    for seed in range(3):
        whole = jpeg(progressive, restart, seed=seed)
        assert completed(whole[:-2]) == whole
        assert completed(whole[:-1]) == whole
        scan = whole.rindex(b"\xff\xda") + 12  # where the last scan's coefficients begin
        cuts = [n for n in range(3, 60) if len(whole) - n > scan]
        assert len(cuts) > 20
        assert not [n for n in cuts if completed(whole[:-n]) is not None]


def test_a_jpeg_without_end_marker_is_read_with_a_note(tmp_path):
    folder = write_squares(tmp_path / "squares", 6)
    whole = jpeg()
    (folder / "red" / "whole.jpg").write_bytes(whole)
    (folder / "red" / "endless.JFIF").write_bytes(whole[:-2])
    (folder / "red" / "cut.jpg").write_bytes(whole[:-200])
    data = load(folder)
    endless, whole = (data.thumbnail(data.names.index(f"red/{name}"), 12)
                      for name in ("endless.JFIF", "whole.jpg"))  # fmt: skip
    assert (endless == whole).all()
    assert data.notes == [
        "red/endless.JFIF: the file lacks its end marker; all of its pixels are there"
    ]
    assert [fault.partition(":")[0] for fault in data.unreadable] == ["red/cut.jpg"]


def test_images_outside_the_classes_are_told(tmp_path):
    write_squares(tmp_path / "train", 8)
    (tmp_path / "test").mkdir()
    picture = (tmp_path / "train" / "red" / "00.png").read_bytes()
    for i in range(6):
        (tmp_path / "test" / f"{i}.png").write_bytes(picture)
    (tmp_path / "test" / "list.csv").write_text("no image")
    (tmp_path / "more" / "red").mkdir(parents=True)
    (tmp_path / "more" / "red" / "x.png").write_bytes(picture)
    data = load(tmp_path)
    assert data.listing.ignored == 8
    assert data.notes == [
        "6 images right under test/, in no folder of a class; passed over",
        "1 image right under more/red/, in no folder of a class; passed over",
    ]


def test_images_beside_the_classes_are_told(tmp_path):
    folder = write_squares(tmp_path / "squares", 6)
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes((folder / "red" / "00.png").read_bytes())
    found = load(folder)
    assert found.listing.ignored == 2
    assert found.notes == ["2 images beside the folders of the classes; passed over"]


def test_a_folder_that_cannot_be_read_is_no_empty_one(tmp_path, monkeypatch):
    folder = write_squares(tmp_path / "squares", 6)
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("red"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="red cannot be read: Permission denied"):
        load(folder)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def blank_png(width, height, depth=16):
    """A black grey PNG of any size in few bytes."""
    row = bytes(1 + width * depth // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data)
            + chunk(b"IEND", b""))  # fmt: skip


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_by_the_header(tmp_path):
    (tmp_path / "x.png").write_bytes(blank_png(13_000, 13_000))
    for read in (header, lambda path: read_image(path, 64, 1)):
        with pytest.raises(DataError, match="13,000 x 13,000 pixels; wanted at most"):
            read(tmp_path / "x.png")
    (tmp_path / "y.png").write_bytes(blank_png(2, 2).replace(
        struct.pack(">II", 2, 2), struct.pack(">II", 2**31 - 1, 2**31 - 1)))  # fmt: skip
    with pytest.raises(DataError, match=r"y\.png: "):
        header(tmp_path / "y.png")


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory as Linux tells it")
def test_the_largest_image_takes_little_memory(tmp_path):
    side = int(PIXELS**0.5)
    (tmp_path / "x.png").write_bytes(blank_png(side, side))
    # getrusage's would be that of the process that starts it, where that is larger.
    code = (f"from netwright.data.image import read_image\n"
            f"read_image({str(tmp_path / 'x.png')!r}, 64, 3)\n"
            "lines = open('/proc/self/status').read().splitlines()\n"
            "print(*[line.split()[1] for line in lines if line.startswith('VmHWM')])")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1.6 * 2**20


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes, no devices")
def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.png")
    for path in (tmp_path / "x.png", tmp_path, "/dev/zero"):
        with pytest.raises(DataError, match="a folder, pipe or device, wanted a file"):
            read_image(path, 8, 1)
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    with pytest.raises(DataError, match="symbolic links"):
        read_image(tmp_path / "loop.png", 8, 1)
    with pytest.raises(DataError, match="no such file"), opened("a\0b"):
        pass


def test_grey_in_the_middle_of_a_deep_image_predicts_as_it_was_read(tmp_path):
    values = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)
    kept = Preprocessing(8, 1, (0.5,), (0.5,))
    Image.fromarray(values).save(tmp_path / "x.png")
    assert (kept.image(tmp_path / "x.png") == kept.image(Image.fromarray(values))).all()
