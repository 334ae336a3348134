"""What the first look tells: the same picture twice, rare modes, odd sizes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright.data import load
from netwright.data.image import read_image
from netwright.data.survey import SMALL
from netwright.data.twins import ALIKE, CLOSE, correlation, nearest, prints
from squares import write_squares

PHOTOS = Path(__file__).parents[2] / "../shared/data/photos100.zip"
COPIES = {
    "quality 40": lambda image: (image, 40),
    "half the size": lambda image: (image.reduce(2), 85),
    "a third of the size": lambda image: (image.reduce(3), 85),
    "brighter": lambda image: (image.point(lambda value: min(255, int(1.15 * value))), 90),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A hundred photos of a hundred classes."""
    if not PHOTOS.exists():
        pytest.skip(f"{PHOTOS} is not there")
    home = tmp_path_factory.mktemp("photos")
    with zipfile.ZipFile(PHOTOS) as file:
        file.extractall(home)
    return sorted(home.rglob("*.jpg"))


def small(paths):
    return np.stack([read_image(path, SMALL, 3) for path in paths])


def test_no_two_of_a_hundred_photos_are_twins(photos):
    images = small(photos)
    assert len(images) == 100
    apart = (prints(images)[:, None] != prints(images)[None]).sum(2)[np.triu_indices(100, 1)]
    assert apart.min() > CLOSE + 3
    for half in (range(50), range(0, 100, 2)):
        rest = [i for i in range(100) if i not in half]
        assert nearest(images, list(half), rest) == {}


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_photos_are_found(photos, tmp_path, how):
    copies = []
    for path in photos[::2]:
        with Image.open(path) as image:
            copy, quality = COPIES[how](image.convert("RGB"))
        copies.append(tmp_path / path.name)
        copy.save(copies[-1], quality=quality)
    images = np.concatenate([small(photos), small(copies)])
    twins = nearest(images, range(100, 150), range(100))
    assert len(twins) >= 48
    assert all(twin == 2 * (at - 100) for at, twin in twins.items())
    assert all(correlation(images, at, twin) >= ALIKE for at, twin in twins.items())


def test_twins_in_pieces_are_twins_at_once(monkeypatch):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (60, 16, 16, 3)).astype(np.uint8)
    images[40:] = images[:20] // 2 + 20
    wanted = {40 + i: i for i in range(20)}
    assert nearest(images, range(40, 60), range(40)) == wanted
    monkeypatch.setattr("netwright.data.twins.ROWS", 7)
    assert nearest(images, range(40, 60), range(40)) == wanted


def test_plain_surfaces_are_no_twins():
    images = np.stack([np.full((8, 8, 3), value, np.uint8) for value in range(0, 250, 10)])
    assert nearest(images, range(10), range(10, 25)) == {}


def test_a_reencoded_photo_in_another_split_is_told(photos, tmp_path):
    for part, chosen in (("train", photos[:10]), ("val", photos[10:14]), ("test", photos[14:18])):
        for i, path in enumerate(chosen):
            home = tmp_path / part / "ab"[i % 2]
            home.mkdir(parents=True, exist_ok=True)
            (home / path.name).write_bytes(path.read_bytes())
    with Image.open(photos[3]) as image:
        image.reduce(2).save(tmp_path / "test" / "a" / "copy.jpg", quality=70)
    (tmp_path / "val" / "a" / "same.jpg").write_bytes(photos[2].read_bytes())
    found = load(tmp_path)
    names = {kind: [tuple(Path(found.names[i]).name for i in pair) for pair in pairs]
             for kind, pairs in found.twins.items()}  # fmt: skip
    assert names == {"equal": [("same.jpg", photos[2].name)],
                     "close": [("copy.jpg", photos[3].name)]}  # fmt: skip
    assert found.summary()["near_duplicates"] == 1


def test_rare_modes_and_odd_sizes_are_told(tmp_path):
    home = write_squares(tmp_path / "all", 20)
    generator = np.random.default_rng(1)

    def noise(height, width):
        return Image.fromarray(generator.integers(0, 255, (height, width, 3)).astype(np.uint8))

    noise(12, 12).convert("CMYK").save(home / "red" / "x.tif")
    noise(2, 2).save(home / "red" / "tiny.png")
    noise(12, 60).save(home / "blue" / "long.png")
    noise(61, 12).save(home / "blue" / "tall.png")
    assert load(home).notes == [
        "1 image is of mode CMYK; most are RGB; the first: red/x.tif",
        "1 image is less than a quarter of the usual 12 pixels a side; the first: red/tiny.png",
        (
            "2 images are more than 3 times as long as wide; the middle square is looked at; "
            "the first: blue/long.png"
        ),
    ]


def test_images_alike_have_nothing_odd(squares):
    assert load(squares).notes == []


def test_images_that_come_twice_are_told(tmp_path):
    """In one class or in two, which cannot both be right."""
    home = write_squares(tmp_path / "squares", 10)
    assert not [note for note in load(home).notes if "copies" in note or "another class" in note]
    for copy, original in (("red/97.png", "red/00.png"), ("red/98.png", "red/01.png"),
                           ("green/99.png", "blue/05.png")):  # fmt: skip
        (home / copy).write_bytes((home / original).read_bytes())
    for name in ("val", "test"):
        write_squares(tmp_path / "split" / name, 4, seed=len(name))
    home.rename(tmp_path / "split" / "train")
    notes = load(tmp_path / "split").notes
    assert (
        "1 image is there again under another class; the first: "
        "train/green/99.png is train/blue/05.png"
    ) in notes
    assert (
        "2 training images are copies of others; the first: train/red/97.png is train/red/00.png"
    ) in notes
