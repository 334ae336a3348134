"""Loading: adaptation, strictness, files that are refused, runs."""

from __future__ import annotations

import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

import netwright as nw
from netwright.core.net import Net
from netwright.data import Preprocessing
from peers import peer

CLASSES = 7
HEAD = r"head.fc starts fresh: 7 classes in the weights, 3 in the net"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A ResNet-18 of torchvision's, as both kinds of file."""
    folder = tmp_path_factory.mktemp("weights")
    model = peer("torchvision", "resnet18", num_classes=CLASSES)
    torch.save(model.state_dict(), folder / "peer.pth")
    save_file(model.state_dict(), folder / "peer.safetensors")
    return folder


def resnet18(**options):
    return nw.net("resnet18", **{"classes": CLASSES, **options})


@pytest.mark.parametrize("name", ["peer.pth", "peer.safetensors"])
def test_files(home, name):
    state = torch.load(home / "peer.pth")
    model = resnet18().build(weights=str(home / name))
    assert torch.equal(model.state_dict()["head.fc.weight"], state["fc.weight"])
    assert model.weights.source == str(home / name)
    assert model.weights.fresh == ()
    assert str(model.weights) == f"weights of {home / name}, keys: torchvision"
    assert model.weights.preprocess is None


def test_another_number_of_classes(home):
    with pytest.warns(nw.weights.WeightsWarning, match=HEAD):
        model = resnet18(classes=3).build(seed=1, weights=home / "peer.pth")
    fresh = resnet18(classes=3).build(seed=1).state_dict()
    assert model.weights.fresh == ("head.fc.weight", "head.fc.bias")
    assert len(model.weights.adapted) == 1
    assert torch.equal(model.state_dict()["head.fc.weight"], fresh["head.fc.weight"])
    stem = torch.load(home / "peer.pth")["conv1.weight"]
    assert torch.equal(model.state_dict()["stem.conv.conv.weight"], stem)


@torch.inference_mode()
def test_grey_images_give_what_they_give_as_colour(home):
    with pytest.warns(nw.weights.WeightsWarning, match="takes 1 channel: its 3 are summed"):
        grey = resnet18(input=(1, 64, 64)).build(weights=home / "peer.pth").eval()
    colour = resnet18().build(weights=home / "peer.pth").eval()
    x = torch.randn(2, 1, 64, 64)
    assert torch.allclose(grey(x), colour(x.expand(2, 3, 64, 64)), atol=1e-4)


def test_more_channels(home):
    with pytest.warns(nw.weights.WeightsWarning, match="takes 4 channels: its 3 come again"):
        model = resnet18(input=(4, 64, 64)).build(weights=home / "peer.pth")
    stem, old = model.state_dict()["stem.conv.conv.weight"], torch.load(home / "peer.pth")
    assert torch.equal(stem[:, 3], 0.75 * old["conv1.weight"][:, 0])
    assert torch.equal(stem[:, :3], 0.75 * old["conv1.weight"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet34", r"do not fit resnet34: .* missing stage1.2.residual.body.conv1.conv, .* more"),
        (
            "resnet50",
            r"reduce.conv.weight is \(64, 64, 1, 1\), layer1.0.conv1.weight in the",
        ),
        ("vgg11", r"0 of 22 found by own keys; .*; unexpected conv1, bn1, layer1.0.conv1 and"),
    ],
)
def test_weights_of_another_net(home, name, said):
    with pytest.raises(nw.WeightsError, match=said):
        nw.net(name, classes=CLASSES).build(init="torch", weights=home / "peer.pth")


def test_what_is_left_over_is_refused(tmp_path):
    torch.save(peer("torchvision", "resnet34").state_dict(), tmp_path / "deep.pth")
    with pytest.raises(nw.WeightsError, match=r"unexpected layer1.2.conv1, layer1.2.bn1, "):
        nw.net("resnet18").build(weights=tmp_path / "deep.pth")
    with pytest.warns(nw.weights.WeightsWarning, match="unexpected layer1.2.conv1"):
        model = nw.net("resnet18").build(weights=tmp_path / "deep.pth", strict=False)
    assert "layer1.2.conv1.weight" in model.weights.unused
    assert model.weights.fresh == ()


def test_what_is_missing_stays_fresh_if_that_is_wanted(home, tmp_path):
    state = torch.load(home / "peer.pth")
    del state["layer1.0.conv1.weight"], state["bn1.num_batches_tracked"]
    torch.save(state, tmp_path / "less.pth")
    with pytest.raises(nw.WeightsError, match=r"missing stage1.0.residual.body.conv1.conv; try"):
        resnet18().build(weights=tmp_path / "less.pth")
    with pytest.warns(nw.weights.WeightsWarning, match="missing stage1.0.residual"):
        model = resnet18().build(weights=tmp_path / "less.pth", strict=False)
    assert model.weights.fresh == ("stage1.0.residual.body.conv1.conv.weight",)


def test_weights_of_which_nothing_fits_are_refused_anyway(home):
    with pytest.raises(nw.WeightsError, match="0 of 22 found"):
        nw.net("vgg11", width=4, hidden=8).build(weights=home / "peer.pth", strict=False)


def test_a_backbone_without_its_head(home, tmp_path):
    state = torch.load(home / "peer.pth")
    torch.save({k: v for k, v in state.items() if not k.startswith("fc.")}, tmp_path / "body.pth")
    with pytest.warns(nw.weights.WeightsWarning, match="head.fc starts fresh: not in the weights"):
        resnet18().build(weights=tmp_path / "body.pth")


def test_auxiliary_heads_on_either_side(tmp_path):
    made = nw.net("googlenet_bn", classes=5)
    names = nw.net("googlenet_bn", classes=5, aux=True).build(init="torch").state_dict()
    torch.save(nw.weights.to_peer(made, names, "torchvision"), tmp_path / "with.pth")
    model = made.build(init="torch", weights=tmp_path / "with.pth")
    assert model.weights.adapted == ()
    assert all(key.startswith("aux") for key in model.weights.unused)
    assert len(model.weights.unused) > 10
    save_file(model.state_dict(), tmp_path / "without.safetensors")
    with pytest.warns(nw.weights.WeightsWarning, match="aux4a.head.fc starts fresh"):
        nw.net("googlenet_bn", classes=5, aux=True).build(weights=tmp_path / "without.safetensors")


def tiny():
    spec = nw.Sequential(a=nw.Conv(4, 3), b=nw.Conv(4, 3), gap=nw.GlobalAvgPool(), fc=nw.Linear(2))
    return Net(spec, (3, 8, 8), "tiny")


def foreign():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(4, 4, 3), torch.nn.Linear(4, 2)
    )


def test_unknown_keys_in_order(tmp_path):
    state = foreign().state_dict()
    wrapped = {"epoch": torch.tensor(3), "state_dict": {f"module.{k}": state[k] for k in state}}
    torch.save(wrapped, tmp_path / "x.pth")
    with pytest.warns(nw.weights.WeightsWarning, match="all shapes agree in order"):
        model = tiny().build(weights=tmp_path / "x.pth")
    assert model.weights.keys == "order"
    assert all(map(torch.equal, model.state_dict().values(), state.values()))
    save_file(state, tmp_path / "x.safetensors")  # sorts by name: no order to trust
    with pytest.raises(nw.WeightsError, match=r"0 of 6 found by own keys; missing a, b; "):
        tiny().build(weights=tmp_path / "x.safetensors")


def test_old_names_of_densenets(tmp_path):
    state = peer("torchvision", "densenet121").state_dict()
    old = {
        k.replace("norm1.", "norm.1.").replace("conv2.", "conv.2.") if "denselayer" in k else k: v
        for k, v in state.items()
        if not k.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "old.pth")
    model = nw.net("densenet121").build(init="torch", weights=tmp_path / "old.pth")
    again = nw.weights.to_peer(model.net, model.state_dict(), "torchvision")
    assert all(torch.equal(again[key], value) for key, value in state.items())


class Evil:
    def __reduce__(self):
        return (print, ("this ran",))


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"fc.weight": Evil()}, protocol=2))
    with pytest.raises(nw.WeightsError, match=r"^\S+ holds more than .* could run code"):
        tiny().build(weights=tmp_path / "evil.pth")
    torch.save({"model": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(nw.WeightsError, match="not opened because that could run code"):
        tiny().build(weights=tmp_path / "evil.pt")
    assert "this ran" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_broken_files(tmp_path, name):
    for content in (b"", b"no weights at all", b"\x80\x02}q\x00."):
        (tmp_path / name).write_bytes(content)
        said = rf"{name} (cannot be read: \S|holds no state_dict but nothing)"
        with pytest.raises(nw.WeightsError, match=said):
            tiny().build(weights=tmp_path / name)


def test_a_checkpoint_without_a_state_dict(tmp_path):
    torch.save({"epoch": 3, "loss": 0.5}, tmp_path / "x.pth")
    with pytest.raises(nw.WeightsError, match="holds no state_dict but epoch, loss"):
        tiny().build(weights=tmp_path / "x.pth")


def test_a_run_folder(tmp_path):
    model = tiny().build()
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    record = {"size": 8, "channels": 3, "mean": [0.1] * 3, "std": [0.2] * 3, "range": [0, 255]}
    (tmp_path / "run.json").write_text(json.dumps({"preprocessing": record}))
    loaded = tiny().build(weights=tmp_path)
    assert torch.equal(loaded.state_dict()["fc.weight"], model.state_dict()["fc.weight"])
    assert loaded.weights.keys == "own"
    assert loaded.weights.preprocess == Preprocessing(8, 3, (0.1,) * 3, (0.2,) * 3, (0, 255))
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(nw.WeightsError, match="holds no weights: wanted a finished run folder"):
        tiny().build(weights=tmp_path)


def test_only_built_nets_that_have_memory(home):
    with pytest.raises(nw.WeightsError, match="not built from a net"):
        nw.weights.load(foreign(), home / "peer.pth")
    with pytest.raises(nw.WeightsError, match="meta device"):
        resnet18().build(device="meta", weights=home / "peer.pth")
