"""Reading, looking at and splitting images."""

from __future__ import annotations

from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.model_selection import train_test_split

from netwright.data import Preprocessing, load
from netwright.data.image import read_image
from netwright.data.split import split
from netwright.errors import DataError
from squares import COLOURS, pixels, square, write_squares


def shape(dataset):
    kept = dataset.preprocessing()
    return (kept.channels, kept.size, kept.size)


def test_folder(squares):
    found = load(squares)
    assert found.classes == tuple(sorted(COLOURS))
    assert shape(found) == (3, 12, 12)
    assert {part: len(chosen) for part, chosen in found.splits.items()} == {
        "train": 27, "val": 6, "test": 9,
    }  # fmt: skip
    assert found.summary()["sizes"] == {"12x12": 42}
    assert found.fingerprint == load(squares).fingerprint != load(squares, seed=1).fingerprint


def test_split_layout_stays(tmp_path):
    write_squares(tmp_path / "train", 8)
    write_squares(tmp_path / "test", 2, seed=1)
    found = load(tmp_path)
    names = {
        part: {found.names[i].split("/")[0] for i in found.splits[part]} for part in found.splits
    }
    assert names == {"train": {"train"}, "val": {"train"}, "test": {"test"}}
    assert len(found.splits["test"]) == 6


@given(st.lists(st.integers(3, 40), min_size=2, max_size=6), st.integers(0, 99))
def test_splits_are_disjoint_and_stratified(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    parts = split(labels, [""] * len(labels), [str(i) for i in range(len(counts))], seed)
    together = np.concatenate(list(parts.values()))
    assert sorted(together) == list(range(len(labels)))
    for label, count in enumerate(counts):
        own = {part: int((labels[chosen] == label).sum()) for part, chosen in parts.items()}
        assert own["test"] == max(1, round(0.2 * count))
        assert own["val"] == max(1, round(0.2 * (count - own["test"])))
        assert own["train"] >= 1


def test_splits_of_many_images_are_no_larger_than_they_need_be():
    labels = np.arange(60_000) % 10
    parts = split(labels, [""] * len(labels), [str(i) for i in range(10)], 0)
    assert {part: len(chosen) for part, chosen in parts.items()} == {
        "train": 52_500, "val": 2500, "test": 5000,
    }  # fmt: skip


def test_broken_files_are_listed_and_skipped(squares):
    whole = (squares / "red" / "00.png").read_bytes()
    (squares / "red" / "01.png").write_bytes(whole[: len(whole) // 2])
    (squares / "red" / "02.png").write_bytes(b"not an image")
    (squares / "red" / "notes.txt").write_text("no image")
    (squares / "void").mkdir()
    found = load(squares)
    assert found.size() == 40
    assert found.listing.ignored == 1
    assert sorted(fault.partition(":")[0] for fault in found.unreadable) == [
        "red/01.png", "red/02.png", "void",
    ]  # fmt: skip


def test_mixed_modes_and_sizes_become_one(tmp_path):
    generator = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (tmp_path / name).mkdir()
        for i, mode in enumerate(["RGB", "L", "RGBA", "P", "1", "LA", "CMYK"]):
            image = Image.fromarray(square(colour, generator, 20 + 4 * i)).convert(mode)
            suffix = "tif" if mode == "CMYK" else "png"
            image.save(tmp_path / name / f"{mode}.{suffix}")
        deep = Image.fromarray(generator.integers(0, 65535, (20, 30)).astype(np.uint16))
        deep.save(tmp_path / name / "deep.png")
    found = load(tmp_path)
    assert pixels(found).shape == (24, 24, 24, 3)
    assert found.summary()["modes"]["CMYK"] == 3
    assert found.unreadable == []


def test_grey_images_have_one_channel_and_predict_alike(tmp_path):
    generator = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(5):
            grey = generator.integers(0, 255, (16, 12)).astype(np.uint8)
            colour = np.repeat(grey[..., None], 3, 2) if i % 2 else grey
            Image.fromarray(colour).save(tmp_path / name / f"{i}.png")
    found = load(tmp_path)
    assert shape(found) == (1, 12, 12)
    for i, name in enumerate(found.names):
        assert (found.preprocessing().image(tmp_path / name) == pixels(found)[i]).all()


def test_transparent_is_white_and_photos_stand_upright(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    kept = Preprocessing(8, 1, (0.5,), (0.5,))
    assert (kept.image(tmp_path / "clear.png") == 255).all()
    wide = Image.fromarray(np.repeat(np.arange(0, 256, 32, dtype=np.uint8)[None], 8, 0))
    turned = Image.Exif()
    turned[0x0112] = 3
    wide.save(tmp_path / "turned.png", exif=turned)
    assert kept.image(tmp_path / "turned.png")[0, 0, 0] == 224


@pytest.mark.parametrize("top", [1.0, 16.0, 255.0])
def test_arrays_are_scaled_to_bytes(tmp_path, top):
    images = np.random.default_rng(0).random((20, 8, 8)) * top
    images[0, 0, 0] = top
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(20) % 2)
    found = load(tmp_path / "a.npz")
    assert found.preprocessing().range == (0.0, top)
    assert abs(pixels(found)[..., 0] - images * 255 / top).max() <= 0.5
    assert (found.preprocessing().image(images[3]) == pixels(found)[3]).all()


def test_arrays_already_split_and_named(tmp_path):
    generator = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 12), ("test", 6)):
        arrays[f"x_{part}"] = generator.integers(0, 255, (count, 3, 10, 10)).astype(np.uint8)
        arrays[f"y_{part}"] = (np.arange(count) % 3)[:, None]
    np.savez(tmp_path / "a.npz", **arrays, classes=np.array(["cat", "dog", "eel"]))
    found = load(tmp_path / "a.npz")
    assert found.classes == ("cat", "dog", "eel")
    assert shape(found) == (3, 10, 10)
    assert [found.names[i] for i in found.splits["test"]] == [f"x_test[{i}]" for i in range(6)]


def test_duplicates_and_imbalance_are_counted(tmp_path):
    images = np.zeros((40, 8, 8), np.uint8)
    images[:, 0, 0] = np.arange(40) * 6
    images[1:12] = images[0]
    np.savez(tmp_path / "a.npz", images=images, labels=(np.arange(40) >= 30).astype(int))
    found = load(tmp_path / "a.npz")
    prints = [image.tobytes() for image in pixels(found)]
    train = {prints[i] for i in found.splits["train"]}
    rest = [i for part in ("val", "test") for i in found.splits[part]]
    assert len(found.twins["equal"]) == sum(prints[i] in train for i in rest) > 0
    assert found.imbalance == found.counts("train")[0] / found.counts("train")[1]


def _loose(path):
    Image.new("L", (8, 8)).save(path / "a.png")


def _one_class(path):
    (path / "cat").mkdir()
    for i in range(5):
        Image.new("L", (8, 8)).save(path / "cat" / f"{i}.png")


def _one_image(path):
    write_squares(path / "x", 5)
    for i in range(1, 5):
        (path / "x" / "red" / f"{i:02}.png").unlink()
    return path / "x"


def _no_image(path):
    (path / "cat").mkdir()
    (path / "cat" / "notes.txt").write_text("no")


def _unreadable(path):
    for name in ("a", "b"):
        (path / name).mkdir()
        (path / name / "x.png").write_bytes(b"no")


def _new_class_in_test(path):
    write_squares(path / "train", 4)
    write_squares(path / "test", 2)
    (path / "test" / "pink").mkdir()
    Image.new("RGB", (8, 8)).save(path / "test" / "pink" / "x.png")


def _text(path):
    (path / "a.txt").write_text("no")
    return path / "a.txt"


def _npz(**arrays):
    def write(path):
        np.savez(path / "a.npz", **arrays)
        return path / "a.npz"

    return write


def _broken_npz(path):
    (path / "a.npz").write_bytes(b"PK no")
    return path / "a.npz"


def _bare_array(path):
    with (path / "a.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    return path / "a.npz"


def _alien_members(path):
    with ZipFile(path / "a.npz", "w") as held:
        held.writestr("images", "no")
        held.writestr("labels", "no")
    return path / "a.npz"


def _symlink_loop(path):
    (path / "loop").symlink_to(path / "loop")
    return path / "loop"


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (np.array([b"cat", b"dog"]), ("cat", "dog")),
        (np.array(["cat", "dog"]), ("cat", "dog")),
        (np.array([0.0, 1.0]), ("0", "1")),
        (np.array([[0], [1]]), ("0", "1")),
        (np.array([0.5, 1.0]), ("0.5", "1.0")),
    ],
)
def test_labels_are_numbers_or_text(tmp_path, labels, classes):
    images = np.arange(10 * 64, dtype=np.uint8).reshape(10, 8, 8)
    path = _npz(images=images, labels=np.concatenate([labels] * 5), classes="aside")(tmp_path)
    assert load(path).classes == classes


def test_one_negative_value_everywhere_is_an_image(tmp_path):
    path = _npz(images=np.full((10, 8, 8), -1.0), labels=np.arange(10) % 2)(tmp_path)
    assert pixels(load(path)).max() == 0


def test_hidden_copies_are_no_images(squares):
    before = load(squares)
    for home in list(squares.iterdir()):
        (home / ".ipynb_checkpoints").mkdir()
        (home / ".ipynb_checkpoints" / "x.png").write_bytes((home / "00.png").read_bytes())
        (home / "._00.png").write_bytes(b"resource fork")
    after = load(squares)
    assert after.fingerprint == before.fingerprint
    assert after.listing.ignored == 6
    assert after.unreadable == []


def test_floats_from_0_to_1_are_grey_not_black(tmp_path):
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(tmp_path / "x.tif")
    assert np.unique(read_image(tmp_path / "x.tif", 8, 1)).tolist() == [128]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path / "gone", "no such file or folder"),
        (lambda path: None, "is empty; wanted FOLDER/class"),
        (_loose, "no folder a class"),
        (_one_class, "one class only, 'cat'"),
        (_one_image, "'red' has 1 readable image.* at least 3: one to learn from and one to test"),
        (_no_image, r"no image under .* \(1 other files\)"),
        (_unreadable, "none of 2 images under .* can be read"),
        (_new_class_in_test, "class 'pink' has images in test, but none to train"),
        (_text, "is no folder, no table and no .npz"),
        (_broken_npz, "is no .npz, or only a part of one; wanted an .npz of"),
        (_npz(images=np.zeros((4, 8, 8))), "holds images; wanted images and labels"),
        (_npz(images=np.zeros((4, 8, 8)), labels=np.zeros(3)), "4 images, labels has 3 labels"),
        (_npz(images=np.full((4, 8, 8), np.nan), labels=np.arange(4) % 2), "not finite"),
        (_npz(images=np.zeros((0, 8, 8)), labels=np.zeros(0)), "holds no image"),
        (_npz(images=np.array([["a"]]), labels=np.zeros(1)), "wanted"),
        (_npz(images=np.zeros((4, 8, 8)), labels=np.array([{}] * 4)), "plain arrays"),
        (_npz(images=np.zeros((4, 8, 8)), labels=np.eye(4)), r"labels is \(4, 4\); wanted one"),
        (_npz(images=np.zeros((4, 8, 8)), labels=np.array([0, 1, 0, np.nan])), "not finite"),
        (_bare_array, "is one array, an .npy"),
        (_alien_members, "holds nothing; wanted images and labels"),
        (_symlink_loop, "no such file|cannot be read"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(tmp_path, make, said):
    path = make(tmp_path) or tmp_path
    with pytest.raises(DataError, match=said) as caught:
        load(path)
    assert "\n" not in str(caught.value)


@given(st.lists(st.integers(4, 40), min_size=2, max_size=4), st.integers(0, 99))
def test_a_split_takes_the_images_that_scikit_learn_takes(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    parts = split(labels, [""] * len(labels), [str(i) for i in range(len(counts))], seed)
    generator, rest, test = np.random.RandomState(seed), [], []
    for label, count in enumerate(counts):
        own = np.flatnonzero(labels == label)
        size = max(1, round(0.2 * count))
        left, taken = train_test_split(own, test_size=size, random_state=generator)
        rest, test = [*rest, *left], [*test, *taken]
    assert parts["test"].tolist() == sorted(test)
