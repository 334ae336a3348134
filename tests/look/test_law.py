"""Every look at every kind of model: what the same model written plainly shows, or one clear line;
and the model is as it was.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from netwright.data.image import Preprocessing

X = torch.randn(3, 24, 24, generator=torch.Generator().manual_seed(0))
LAYER = "one"
IMAGES = [(np.random.default_rng(i).integers(0, 256, (24, 24, 3)).astype(np.uint8), i % 2)
          for i in range(6)]  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TorchScript's


class Plain(nn.Module):
    """Modules, each called once but for the ReLU; in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)
        self.two, self.drop = nn.Conv2d(6, 8, 3, padding=1), nn.Dropout(0.5)
        self.head = nn.Linear(8, 4)
        generator = torch.Generator().manual_seed(0)
        for p in self.parameters():
            p.data = torch.randn(p.shape, generator=generator) * 0.4
        self.eval()

    def forward(self, x):
        x = self.pool(self.relu(self.norm(self.one(x))))
        x = self.relu(self.two(x))
        return self.head(self.drop(x.mean((2, 3))))


class Functional(Plain):
    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.one(x))), 2)
        x = torch.relu(self.two(x))
        return self.head(F.dropout(x.mean((2, 3)), 0.5, self.training))


class InPlace(Plain):
    def forward(self, x):
        x = self.norm(self.one(x))
        F.relu_(x)
        x = self.two(self.pool(x))
        return self.head(F.relu(x, inplace=True).mean((2, 3)))


class OneAtATime(Plain):
    """Refuses a batch, with an error of its own."""

    def forward(self, x):
        if len(x) != 1:
            raise AssertionError("one image at a time")
        return super().forward(x)


class WithoutStatistics(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(6, track_running_stats=False)


class Detector(Plain):
    def forward(self, x):
        x = self.one(x)
        return [{"boxes": x.mean((1, 2)), "scores": x.amax((1, 2))}]


class Broken(Plain):
    """Fails in the middle of the pass, with an error of its own."""

    def forward(self, x):
        x = self.norm(self.one(x))
        raise KeyError("nothing here")


class NotFinite(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.head.bias.data[:] = torch.nan
        self.one.weight.data[0] = torch.nan


def _compiled() -> Any:
    return torch.compile(Plain(), backend="eager")


def _compiled_inside() -> nn.Module:
    model = Plain()
    model.two.compile(backend="eager")
    return model


ALIKE = {
    "functional": Functional, "in place": InPlace, "training": lambda: Functional().train(),
    "one at a time": OneAtATime, "half": lambda: Plain().half(),
    "bfloat16": lambda: Plain().bfloat16(), "double": lambda: Plain().double(),
    "compiled": _compiled, "compiled inside": _compiled_inside,
    "TorchScript": lambda: torch.jit.script(Plain()),
    "traced": lambda: torch.jit.trace(Plain(), X[None]),
    "symbolic": lambda: torch.fx.symbolic_trace(Plain()),
    "exported": lambda: torch.export.export(Plain(), (X[None],)).module(),
}  # fmt: skip
"""Models that compute what `Plain` does."""
OTHERS = {
    "no statistics": WithoutStatistics, "detector": Detector, "broken": Broken,
    "not finite": NotFinite,
    "U-Net": lambda: nw.net("unet", depth=2, width=4, classes=3, input=(3, 24, 24)).build(seed=0),
}  # fmt: skip
ROUGH = {"half": 0.05, "bfloat16": 0.3}
"""How far numbers of few digits may be off, as a share of the largest."""
HIDING = ("TorchScript", "traced", "exported")
"""Models whose layers nobody can see."""


def _layer(model: Any, which: int = 0) -> str:
    """Its first convolution, or another."""
    paths = [path for path, part in model.named_modules() if isinstance(part, nn.Conv2d)]
    return paths[which] if paths else LAYER


def _attributed(method: str) -> Any:
    def look(model: Any) -> Any:
        layer = _layer(model, 1) if method.startswith("gradcam") else None
        return nw.look.attribute(model, X, method, 1, layer, samples=2)

    return look


LOOKS = {
    **{method: _attributed(method) for method in nw.look.METHODS},
    "occlusion": lambda m: nw.look.occlusion(m, X, 8, 8, 1),
    "activations": lambda m: nw.look.activations(m, X, _layer(m)),
    "filters": nw.look.filters,
    "field": lambda m: nw.look.field(m, _layer(m), shape=(3, 24, 24), samples=2),
    "top_patches": lambda m: nw.look.top_patches(m, [X, X + 1], _layer(m)),
    "shift": lambda m: nw.look.shift(m, X, 2),
    "sensitivity": lambda m: nw.look.sensitivity(m, [image for image, _ in IMAGES], ("blur",)),
    "separability": lambda m: nw.look.separability(m, IMAGES, [_layer(m)]),
}  # fmt: skip


def state(model: Any) -> tuple[Any, ...]:
    parts = [(m.training, len(m._forward_hooks), len(m._backward_hooks))
             for m in model.modules() if not isinstance(m, torch.jit.ScriptModule)]  # fmt: skip
    weights = [(p.requires_grad, p.grad is None, p.detach().double().nan_to_num(9.0).sum().item())
               for p in model.parameters()]  # fmt: skip
    return parts, weights, torch.get_rng_state().sum().item(), model.training


def numbers(look: Any) -> dict[str, np.ndarray]:
    """What a look computed, by the name of it without that of a layer."""
    shown = {name.replace("_orig_mod.", ""): values for name, values in look.arrays().items()}
    return {name: np.asarray(values, float) for name, values in shown.items() if name != "pixels"}


def looked(name: str, model: Any) -> Any:
    """What is shown, or None for one clear line; the model is as it was in any case."""
    before, message = state(model), "it worked, or one line of some length"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            look = LOOKS[name](model)
    except nw.NetwrightError as error:
        look, message = None, str(error)
    assert state(model) == before
    assert "\n" not in message and len(message) > 20
    return look


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return {name: looked(name, Plain()) for name in LOOKS}


@pytest.mark.parametrize("kind", ALIKE)
def test_the_same_model_shows_the_same(kind, plain):
    seen = 0
    for name, wanted in plain.items():
        look = looked(name, ALIKE[kind]())
        if look is None:
            assert kind in HIDING or (name == "cam" and kind != "compiled"), name
            continue
        seen += 1
        if name == "separability" and kind in ROUGH:
            continue  # an answer more or less is a sixth of all
        tolerance = ROUGH.get(kind, 2e-4 if name == "integrated" else 1e-5)
        ours, theirs = numbers(look), numbers(wanted)
        assert ours.keys() == theirs.keys()
        for key, values in theirs.items():
            finite = np.isfinite(values)
            scale = np.abs(values[finite]).max() if finite.any() else 1.0
            apart = np.abs(ours[key][finite] - values[finite])
            if kind in ROUGH:  # a few ReLUs and maxima choose otherwise
                assert np.quantile(apart, 0.9) <= tolerance * scale, (name, key)
            else:
                assert apart.max() <= tolerance * scale, (name, key)
    assert seen >= (3 if kind in HIDING else len(LOOKS) - 1)


@pytest.mark.parametrize("kind", OTHERS)
def test_other_models_give_finite_numbers_or_one_line(kind):
    for name in LOOKS:
        look = looked(name, OTHERS[kind]())
        asks_scores = name in (*nw.look.METHODS, "occlusion", "shift", "sensitivity")
        if kind in ("broken", "detector", "not finite") and asks_scores:
            assert look is None, name
        if kind in ("U-Net", "no statistics"):
            assert look is not None, name
        if look is not None and kind != "not finite":
            assert all(not np.isnan(values).any() for values in numbers(look).values()), name


@pytest.mark.parametrize(("kind", "remark"), [
    ("training", "training mode"), ("compiled", "compiled"), ("compiled inside", "compiled"),
])  # fmt: skip
def test_what_was_adapted_is_told(kind, remark):
    for name in LOOKS:
        if name not in ("filters", "cam"):
            assert remark in " ".join(LOOKS[name](ALIKE[kind]()).facts()["notes"]), name
    for name in ("gradient", "occlusion", "activations"):
        notes = LOOKS[name](WithoutStatistics()).facts()["notes"]
        assert "keeps no statistics" in " ".join(notes)


@pytest.mark.parametrize(("image", "message"), [
    (torch.zeros(24, 24, 3), "permute"), (torch.zeros(4, 24, 24), "3 channels are wanted"),
    (np.zeros((3, 24, 24)), "transpose"), (torch.full((3, 24, 24), torch.inf), "not finite"),
])  # fmt: skip
def test_wrong_images(image, message):
    for name in ("gradient", "occlusion", "activations"):
        look = {
            "gradient": lambda: nw.look.attribute(Plain(), image, "gradient"),
            "occlusion": lambda: nw.look.occlusion(Plain(), image, 2, 8),
            "activations": lambda: nw.look.activations(Plain(), image, LAYER),
        }[name]
        with pytest.raises(nw.LookError, match=message):
            look()


def test_images_that_were_adapted():
    net = nw.net("lenet5", input=(1, 32, 32))
    x = torch.randn(1, 32, 32)
    assert nw.look.activations(net.build(seed=0).eval(), x, "c1").notes == ()
    wide = nw.look.activations(nw.net("resnet18").build(seed=0), torch.randn(3, 64, 96), "stem")
    assert "64" in " ".join(wide.notes) and "described" in " ".join(wide.notes)
    given = nw.look.subject(Plain(), Preprocessing(24, 3, (0.5,) * 3, (0.5,) * 3))
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3)).astype(np.uint8)
    shares = given.picture(pixels / 255)
    assert torch.equal(shares.x, given.picture(pixels).x) and "shares of 255" in shares.notes[0]


@pytest.mark.parametrize("layers", [[], ()])
def test_no_layers_are_a_mistake(layers):
    given = Preprocessing(24, 3, (0.5,) * 3, (0.25,) * 3)
    pixels = [image for image, _ in IMAGES]
    for look in (
        lambda: nw.look.activations(Plain(), X, layers),
        lambda: nw.look.top_patches(Plain(), pixels, layers, preprocessing=given),
        lambda: nw.look.sparsity(Plain(), pixels, layers, preprocessing=given),
        lambda: nw.look.separability(Plain(), IMAGES, layers, preprocessing=given),
    ):
        with pytest.raises(nw.LookError, match="layers is empty"):
            look()


def test_one_layer_is_several_of_one():
    given = Preprocessing(24, 3, (0.5,) * 3, (0.25,) * 3)
    one = nw.look.separability(Plain(), IMAGES * 2, "one", preprocessing=given)
    assert one.layers == ("one",)
    assert np.array_equal(one.losses, nw.look.separability(
        Plain(), IMAGES * 2, ["one"], preprocessing=given).losses)  # fmt: skip
