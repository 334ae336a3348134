"""A model that was looked at is as it was."""

from __future__ import annotations

import random

import numpy as np
import pytest
import sklearn.linear_model  # noqa: F401  to import it draws from Python's generator
import torch
from PIL import Image
from torch import nn

import netwright as nw
from netwright.data.dataset import load
from netwright.data.image import Preprocessing
from netwright.drawing.html import Page
from netwright.train.evaluation import Evaluation, evaluate
from netwright.train.insight import insight_section
from squares import COLOURS, TINY, square, write_squares


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        x = self.relu(self.norm(self.conv(x)))
        torch.rand(1), random.random(), np.random.rand()  # noqa: NPY002
        return self.head(self.drop(self.relu(x + 0).mean((2, 3))))


def state(model: nn.Module):
    parts = {path: (m.training, len(m._forward_hooks), len(m._backward_hooks),
                    len(m._forward_pre_hooks), getattr(m, "inplace", None))
             for path, m in model.named_modules()}  # fmt: skip
    weights = {name: (p.requires_grad, None if p.grad is None else p.grad.clone(), p.clone())
               for name, p in model.named_parameters()}  # fmt: skip
    buffers = {name: b.clone() for name, b in model.named_buffers()}
    return parts, weights, buffers, torch.get_rng_state(), random.getstate(), _legacy()


def _legacy():
    return np.random.get_state()  # noqa: NPY002


def assert_untouched(before, after) -> None:
    assert before[0] == after[0]
    for name, (flag, grad, value) in before[1].items():
        other = after[1][name]
        assert flag == other[0] and torch.equal(value, other[2])
        assert (grad is None and other[1] is None) or torch.equal(grad, other[1])
    assert all(torch.equal(b, after[2][name]) for name, b in before[2].items())
    assert torch.equal(before[3], after[3]) and before[4] == after[4]
    assert all(np.array_equal(a, b) for a, b in zip(before[5], after[5], strict=True))


def lived_in() -> Net:
    """In training, some parts not; one weight frozen; one with a gradient."""
    torch.manual_seed(0)
    model = Net().train()
    model.norm.eval()
    model.conv.bias.requires_grad_(False)
    model.head.weight.grad = torch.ones_like(model.head.weight)
    return model


X = torch.randn(3, 24, 24, generator=torch.Generator().manual_seed(0))
IMAGES = [(np.random.default_rng(i).integers(0, 256, (24, 24, 3)).astype(np.uint8), i % 2)
          for i in range(6)]  # fmt: skip
LOOKS = {
    **{method: lambda m, how=method: nw.look.attribute(m, X, how, samples=2)
       for method in nw.look.METHODS},
    "maximise": lambda m: nw.look.maximise(m, "relu", [0, 2], steps=2, size=24),
    "dream": lambda m: nw.look.dream(m, X, "conv", iterations=1),
    "sparsity": lambda m: nw.look.sparsity(m, [X, X + 1], ["relu", "conv"]),
    "occlusion": lambda m: nw.look.occlusion(m, X, 8, 8),
    "activations": lambda m: nw.look.activations(m, X, ["conv", "relu_2"]),
    "filters": nw.look.filters,
    "field": lambda m: nw.look.field(m, "relu", shape=(3, 24, 24), samples=2),
    "top_patches": lambda m: nw.look.top_patches(m, [X, X + 1], "relu"),
    "fields": lambda m: nw.look.fields({"a": m}, "relu", shape=(3, 24, 24), samples=2),
    "trust": lambda m: nw.look.trust(m, X, "gradient", steps=3),
    "shift": lambda m: nw.look.shift(m, X, 2),
    "sensitivity": lambda m: nw.look.sensitivity(m, [image for image, _ in IMAGES], ("blur",)),
    "separability": lambda m: nw.look.separability(m, IMAGES, ["conv", "relu_2"]),
}  # fmt: skip


FREE = ("filters", "maximise", "dream", "sparsity")
"""Those that do not run the head."""


@pytest.mark.parametrize("name", LOOKS)
def test_nothing_stays_behind(name):
    model = lived_in()
    before = state(model)
    with torch.no_grad():
        LOOKS[name](model)
    assert_untouched(before, state(model))
    with torch.inference_mode():
        LOOKS[name](model)
    assert_untouched(before, state(model))


@pytest.mark.parametrize("name", [name for name in LOOKS if name not in FREE])
def test_nothing_stays_behind_after_an_error(name):
    model = lived_in()
    head = model.head
    model.head = nn.Linear(5, 3)  # which does not fit
    before = state(model)
    with pytest.raises(nw.NetwrightError):
        LOOKS[name](model)
    model.head, wrong = head, model.head
    assert not wrong._forward_hooks
    model.head = wrong
    assert_untouched(before, state(model))


@pytest.mark.parametrize("name", ["maximise", "dream"])
def test_nothing_stays_behind_of_a_climb_that_fails(name):
    model = lived_in()
    model.conv.weight.data[2] = torch.nan
    before = state(model)
    with pytest.raises(nw.LookError, match="not finite"):
        LOOKS[name](model)
    after = state(model)
    before[1].pop("conv.weight"), after[1].pop("conv.weight")
    assert_untouched(before, after)


def test_an_exception_in_the_block():
    model = lived_in()
    before = state(model)
    with pytest.raises(KeyError), nw.look.watching(model, ["relu", "relu_2"]) as watch:  # noqa: PT012
        watch(X[None])
        assert not model.training and watch.outputs["relu"].requires_grad is False
        raise KeyError
    assert_untouched(before, state(model))


def test_what_is_kept_is_what_the_layer_gave():
    """Not what an operation in place made of it, for layers that run twice too."""
    model = lived_in().eval()
    with torch.no_grad():
        conv = model.conv(X[None])
        norm = model.norm(conv)
    look = nw.look.activations(model, X, ["conv", "norm", "relu", "relu_2"])
    assert np.allclose(look.outputs["conv"], conv[0], atol=1e-6)
    assert np.allclose(look.outputs["norm"], norm[0], atol=1e-6)
    assert (look.outputs["norm"] < 0).any() and look.outputs["relu"].min() == 0
    assert np.array_equal(look.outputs["relu"], look.outputs["relu_2"])
    share = float((norm[0] <= 0).double().mean())
    assert look.sparsity["relu"] == pytest.approx(share)
    with torch.no_grad():
        model.norm.bias[2] = -100
    assert nw.look.activations(model, X, "relu").silent["relu"].tolist() == [2]


def test_a_gradient_that_was_overwritten():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sigmoid(), nn.ReLU(inplace=True), nn.Flatten())
    with pytest.raises(nw.LookError, match="set inplace to False, in 2"):
        nw.look.attribute(model, X, "gradient")
    assert nw.look.attribute(model, X, "gradcam", layer="1").map.max() > 0


def test_layers_that_do_not_run():
    model = lived_in()
    model.spare = nn.ReLU()
    with pytest.raises(nw.LookError, match="spare did not run"):
        nw.look.activations(model, X, "spare")
    with pytest.raises(nw.LookError, match="relu_3 did not run"):
        nw.look.activations(model, X, "relu_3")
    with pytest.raises(nw.UnknownName, match="near: conv"):
        nw.look.activations(model, X, "convv")


def test_images_of_every_kind(tmp_path):
    given = Preprocessing(24, 3, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    subject = nw.look.subject(lived_in().eval(), given)
    wanted = given(pixels)[None]
    kinds = [pixels, Image.fromarray(pixels), tmp_path / "image.png", str(tmp_path / "image.png"),
             torch.tensor(pixels).permute(2, 0, 1)]  # fmt: skip
    for kind in kinds:
        picture = subject.picture(kind)
        assert torch.allclose(picture.x, wanted) and np.array_equal(picture.pixels, pixels)
        assert picture.notes == ()
    tensor = subject.picture(wanted[0])
    assert torch.equal(tensor.x, wanted) and np.abs(tensor.pixels - pixels.astype(int)).max() <= 1
    assert "unnormalised" in subject.picture(torch.tensor(pixels / 255).permute(2, 0, 1)).notes[0]
    plain = nw.look.subject(lived_in()).picture(pixels)
    assert "normalised" in plain.notes[0]
    assert torch.allclose(plain.x, torch.tensor(pixels / 255).float().permute(2, 0, 1)[None])
    assert "from 0 to 1" in nw.look.subject(lived_in()).picture(np.eye(24)[..., None]).notes[0]
    assert "from 0 to 300" in nw.look.subject(lived_in()).picture(np.eye(24) * 300).notes[0]


@pytest.mark.parametrize(("image", "message"), [
    (torch.full((3, 8, 8), torch.nan), "not finite"), (np.full((8, 8, 3), np.inf), "not finite"),
    (torch.zeros(2, 3, 8, 8), "one image"), (torch.zeros(8), "one image"), (3, "an image is"),
    (torch.zeros(4, 8, 8), "did not take images"),
])  # fmt: skip
def test_images_that_are_none(image, message):
    with pytest.raises(nw.LookError, match=message):
        nw.look.activations(lived_in(), image, "conv")


def test_models_that_are_none():
    with pytest.raises(nw.LookError, match="without weights"):
        nw.look.filters(nw.net("resnet18"))
    for what in (nw.look.filters, nw.look.layers):
        with pytest.raises(nw.LookError, match="got a str"):
            what("resnet18")
    with pytest.raises(nw.LookError, match="no convolution"):
        nw.look.filters(nn.Linear(3, 3))


class Detector(nn.Module):
    def forward(self, x):
        return [{"boxes": x, "scores": x}]


def test_a_detector_without_classes():
    with pytest.raises(nw.LookError, match="detector"):
        nw.look.attribute(Detector(), X, "gradient")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> nw.Run:
    folder = tmp_path_factory.mktemp("run")
    return nw.fit(write_squares(folder / "data", 6), out=folder / "out", budget=TINY, epochs=1)


def test_a_run_brings_its_classes_and_preprocessing(run):
    image = square(COLOURS["green"], np.random.default_rng(1), side=20)
    look = nw.look.attribute(run, image, "gradient", "green")
    assert (look.target, look.name, look.map.shape) == (1, "green", (12, 12))
    scores = run.model()(run.preprocessing(image)[None])
    assert look.score == pytest.approx(scores[0, 1].item(), abs=1e-5)
    with pytest.raises(nw.UnknownName, match="near: green"):
        nw.look.attribute(run, image, "gradient", "greeen")


@pytest.mark.parametrize("name", ["gradcam", "integrated", "occlusion", "activations", "filters",
                                  "field", "top_patches"])  # fmt: skip
def test_every_look_takes_a_run(name, run):
    """And shows what it shows of the run's model, given the run's preprocessing."""
    model, given = run.model(), run.preprocessing
    images = [square(colour, np.random.default_rng(2)) for colour in COLOURS.values()]
    places = nw.look.layers(run)
    path = next(path for path, place in places.items() if place.is_map)
    assert places[path] == nw.look.layers(model)[path] == nw.look.layers(run.net)[path]
    of_images = {
        "gradcam": lambda m, **how: nw.look.attribute(m, images[0], "gradcam", 1, **how),
        "integrated": lambda m, **how: nw.look.attribute(m, images[0], "integrated", 1, **how),
        "occlusion": lambda m, **how: nw.look.occlusion(m, images[0], 4, 4, **how),
        "activations": lambda m, **how: nw.look.activations(m, images[0], path, **how),
        "field": lambda m, **how: nw.look.field(m, path, images=images, **how),
        "top_patches": lambda m, **how: nw.look.top_patches(m, images, path, k=2, **how),
    }
    if name == "filters":
        ours, plain = nw.look.filters(run), nw.look.filters(model)
    else:
        ours, plain = of_images[name](run), of_images[name](model, preprocessing=given)
    assert ours.arrays().keys() == plain.arrays().keys()
    for key, values in ours.arrays().items():
        assert np.array_equal(values, plain.arrays()[key]), key


def test_a_report_shows_what_the_net_looks_at(run):
    dataset = load(run.record["settings"]["data"])
    found = evaluate([run], dataset, split="all")
    page = Page("report")
    insight_section(page, run.model(), run.preprocessing, dataset, found, 1e6)
    text = page.render()
    assert "<h2>What the net looks at</h2>" in text and "left out" not in text
    assert text.count("<figcaption>taken for") == len(found.mistakes(6))
    assert "excites its last maps most, of" in text and "kernels of its first layer" in text
    assert "test images that are moved" in text and "blur, at its strongest" in text
    assert "classes of the test images come apart" in text and "Confusion at" in text
    assert len(text) < 300_000


def test_a_report_of_few_test_images_does_not_tell_classes_apart(run):
    """Fewer of a class than there are folds."""
    dataset = load(run.record["settings"]["data"])
    found = evaluate([run], dataset)
    few = Evaluation(found.classes, found.names[:9], found.truth[:9], found.shares[:9])
    page = Page("report")
    insight_section(page, run.model(), run.preprocessing, dataset, few, 1e6)
    assert "come apart" not in page.render() and "left out" not in page.render()


def test_a_report_says_what_does_not_suit_the_net(run):
    """Of a net without a convolution what needs one is left out, and the page says why."""
    dataset = load(run.record["settings"]["data"])
    page, shape = Page("report"), run.preprocessing.shape
    model = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), len(COLOURS)))
    insight_section(page, model, run.preprocessing, dataset, evaluate([run], dataset), 1e6)
    text = page.render()
    assert "<h2>What the net looks at</h2>" in text and "left out: " in text
    assert "has no convolution of images" in text and "kernels of its first" not in text
    assert "<figcaption>taken for" not in text and "test images that are moved" in text


def test_a_report_of_signals_is_without_looks(tmp_path):
    values = np.random.default_rng(0).normal(size=(24, 2, 64)).astype(np.float32)
    np.savez(tmp_path / "s.npz", signals=values, labels=np.arange(24) % 2)
    dataset = load(tmp_path / "s.npz")
    test = Evaluation(dataset.classes, dataset.names, dataset.labels, np.full((24, 2), 0.5))
    page = Page("report")
    model = nn.Sequential(nn.Conv1d(2, 2, 3), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    insight_section(page, model, dataset.preprocessing(), dataset, test, 1e6)
    assert "looks at" not in page.render()


DRAWN = [name for name in LOOKS if name not in ("gradient", "smoothgrad", "deconvnet", "gradcam++")]


@pytest.mark.parametrize("name", DRAWN)
def test_results_are_saved_and_drawn(name, tmp_path):
    look = LOOKS[name](lived_in())
    picture, data = look.save(tmp_path / "out" / "look.png")
    assert (picture.name, data.name) == ("look.png", "look.npz")
    with Image.open(picture) as image:
        assert image.size[0] == 960
    stored = np.load(data)
    for key, values in look.arrays().items():
        assert np.array_equal(stored[key], values)
    assert look._repr_png_().startswith(b"\x89PNG")
