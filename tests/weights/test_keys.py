"""Key maps, held against the state_dicts of the libraries themselves."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
from test_parity import PEERS, keys, random_state

import netwright as nw
from netwright.weights.index import known
from netwright.weights.keys import family, has_table, key_map
from peers import peer
from zoo import marked

HEAVY = re.compile(r"regnet_._(8|16|32)gf")
"""A peer that is made with all its memory, and as small ones are called."""
MAPPED = [
    name for name, (library, *_) in PEERS.items()
    if has_table(nw.net(name), library.partition(".")[0]) and not HEAVY.match(name)
]  # fmt: skip
TIMM = {held.net: held.model for held in known() if held.library == "timm"}
SECOND = [
    name for name in TIMM
    if has_table(nw.net(name), "timm") and PEERS.get(name, ("",))[0] != "timm"
]  # fmt: skip
"""Nets whose parity is tested against another library."""


def one_a_family(names):
    """Names as parameters, all but the first of each family marked as slow."""
    firsts = set({family(nw.net(name)): name for name in reversed(names)}.values())
    return [n if n in firsts else pytest.param(n, marks=pytest.mark.slow) for n in names]


def places(net, library):
    ours = net.build(device="meta", init="torch").state_dict()
    return ours, key_map(net, library, list(ours))


@pytest.mark.parametrize("name", marked(MAPPED))
def test_names_are_those_of_the_same_weight(name):
    """`keys` puts a peer's names in our order; that the logits then agree is a test of parity."""
    library, called, options = PEERS[name]
    ours, made = places(nw.net(name), library.partition(".")[0])
    with torch.device("cpu" if called.startswith("regnet") else "meta"):  # it computes its widths
        theirs = peer(library, called, **options)
    assert {key: place.key for key, place in made.items()} == dict(
        zip(ours, keys(theirs), strict=True)
    )
    shapes = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    assert {place.key: place.shape(tuple(ours[key].shape)) for key, place in made.items()} == shapes


def test_most_of_the_peers_are_mapped():
    assert len(MAPPED) > 100
    assert {"resnet50", "vgg16_bn", "efficientnet_b7", "inception_v3", "zfnet"} <= {*MAPPED}


def epsilons(model):
    """Normalisation that divides by something else would have other logits."""
    return Counter(m.eps for m in model.modules() if isinstance(getattr(m, "eps", None), float))


@pytest.mark.parametrize("name", one_a_family(SECOND))
def test_names_of_timm(name):
    ours, made = places(nw.net(name), "timm")
    with torch.device("meta"):
        theirs = peer("timm", TIMM[name])
    shapes = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    assert {place.key: place.shape(tuple(ours[key].shape)) for key, place in made.items()} == shapes
    assert len(made) == len(ours)
    assert epsilons(theirs) == epsilons(nw.net(name).build(device="meta", init="torch"))


ROUND = [
    ("torchvision", "resnet18"),
    ("torchvision", "densenet121"),
    ("torchvision", "mobilenet_v2"),
    ("torchvision", "mobilenet_v3_small"),
    ("torchvision", "shufflenet_v2_x0_5"),
    ("torchvision", "squeezenet1_1"),
    ("torchvision", "efficientnet_b0"),
    ("torchvision", "convnext_tiny"),
    ("timm", "resnet18"),
    ("timm", "seresnet50"),
    ("timm", "densenet121"),
    ("timm", "mobilenetv2_100"),
    ("timm", "efficientnet_b0"),
    ("timm", "convnext_tiny"),
    ("timm", "tf_efficientnet_lite0"),
    ("efficientnet_lite_pytorch", "efficientnet-lite0"),
    ("timm", "ghostnet_100"),
    ("timm", "resnetv2_50"),
    pytest.param("timm", "vgg11", marks=pytest.mark.slow),
    ("pytorchcv", "resnet20_cifar10"),
    ("pytorchcv", "shufflenet_g3_w1"),
]
NAMES = {
    "mobilenetv2_100": "mobilenet_v2",
    **dict.fromkeys(["tf_efficientnet_lite0", "efficientnet-lite0"], "efficientnet_lite0"),
}


@pytest.mark.parametrize(("library", "called"), ROUND)
@torch.inference_mode()
def test_round_trip_and_logits(library, called, tmp_path):
    with torch.device("meta"):
        other = peer(library, called).eval()
    state = random_state(other.state_dict(), seed=3)
    other.load_state_dict(state, assign=True)
    torch.save(state, tmp_path / "peer.pth")
    net = nw.net(NAMES.get(called, called))
    model = net.build(init="torch", weights=tmp_path / "peer.pth").eval()
    assert model.weights.keys in (library, "torchvision")  # which names the same
    assert model.weights.adapted == model.weights.unused == ()
    again = nw.weights.to_peer(net, model.state_dict(), library)
    assert again.keys() == state.keys()
    assert all(torch.equal(again[key], value) for key, value in state.items())
    side = 64 if net.input[1] > 64 and called not in ("vgg11", "shufflenet_g3_w1") else net.input[1]
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(4))
    wanted = other(x)
    assert wanted.std() > 1e-3
    assert (model(x) - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_auxiliary_heads_of_torchvision():
    for name, called, options in (
        ("googlenet_bn", "googlenet", {"aux_logits": True, "init_weights": False}),
        ("inception_v3", "inception_v3", {"aux_logits": True, "init_weights": False}),
        ("fcn_resnet50", "segmentation.fcn_resnet50", {"aux_loss": True, "weights_backbone": None}),
    ):
        ours, made = places(nw.net(name, aux=True), "torchvision")
        with torch.device("meta"):
            theirs = peer("torchvision", called, **options).state_dict()
        assert len(made) == len(ours)
        assert {place.key: ours[key].shape for key, place in made.items()} == {
            key: value.shape for key, value in theirs.items()
        }


def test_a_library_without_a_table_says_which_have_one():
    net = nw.net("lenet5")
    with pytest.raises(nw.WeightsError, match=r"no keys of timm for lenet5; there are tables for"):
        nw.weights.to_peer(net, net.build(device="meta").state_dict(), "timm")
    with pytest.raises(nw.WeightsError, match=r"no keys of 'keras'; there are: torchvision, timm"):
        nw.weights.key_map(net, "keras", [])


def test_a_net_that_has_more_than_its_table_is_refused():
    net = nw.net("densenet121").rewrite("aux-head:block4")
    state = net.build(device="meta").state_dict()
    with pytest.raises(nw.WeightsError, match=r"torchvision has no name for .* weights of"):
        nw.weights.to_peer(net, state, "torchvision")
