"""Key maps, held against the state_dicts of the libraries themselves."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
import torch
from safetensors.torch import save_file
from test_parity import PEERS, keys, random_state

import netwright as nw
from netwright.weights.index import known
from netwright.weights.keys import family, has_table, key_map
from netwright.weights.twins import twin
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
    ("efficientnet_lite_pytorch", "efficientnet-lite0"),
    ("timm", "ghostnet_100"),
    ("timm", "resnetv2_50"),
    pytest.param("timm", "vgg11", marks=pytest.mark.slow),
    ("pytorchcv", "resnet20_cifar10"),
    ("pytorchcv", "shufflenet_g3_w1"),
]
NAMES = {
    "mobilenetv2_100": "mobilenet_v2",
    "efficientnet-lite0": "efficientnet_lite0",
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


ELSEWHERE = [("timm", name) for name in SECOND] + [
    ("pytorchcv", name) for name in ("resnet18", "resnet34", "resnext50_32x4d", "resnext101_32x4d")
]
"""Nets whose parity is tested against another library, and one that has them too."""


def smallest_of_each(cases):
    """Cases as parameters, all but the smallest of each library and family as exhaustive."""
    cost = {case: nw.net(case[1]).plan().params for case in cases}
    least = {(library, family(nw.net(name))): (library, name)
             for library, name in sorted(cases, key=cost.__getitem__, reverse=True)}  # fmt: skip
    quick = {case for case in least.values() if cost[case] < 50e6}
    return [pytest.param(*c, marks=[] if c in quick else pytest.mark.exhaustive) for c in cases]


def loaded(net, other, folder, **options):
    """A peer's random weights through a file with its keys: our module, and the peer."""
    state = random_state(other.state_dict(), seed=3)
    other.load_state_dict(state, assign=True)
    torch.save(state, folder / "model.pth")
    return net.build(init="torch", weights=folder / "model.pth", **options).eval(), other.eval()


def error(model, other, side=None):
    """The largest difference between their logits, as a share of the largest logit."""
    side = side or model.net.input[1]
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(4))
    wanted = other(x)
    assert wanted.std() > 1e-3
    return (model(x) - wanted).abs().max() / wanted.abs().max()


@pytest.mark.parametrize(("library", "name"), smallest_of_each(ELSEWHERE))
@torch.inference_mode()
def test_what_a_table_loads_has_the_same_logits(library, name, tmp_path):
    with torch.device("meta"):
        other = peer(library, TIMM[name] if library == "timm" else name)
    model, other = loaded(nw.net(name), other, tmp_path)
    assert error(model, other, None if library == "pytorchcv" else 96) <= 1e-5


FIRST = "has the strides in the 1x1 convolutions, this net has not; nw.net"


@torch.inference_mode()
def test_strides_elsewhere_are_refused(tmp_path):
    """pytorchcv's resnet50 has them in the 1x1, its resnet50b, with the same keys, in the 3x3."""
    with torch.device("meta"):
        other, late = peer("pytorchcv", "resnet50"), peer("pytorchcv", "resnet50b")
    model, other = loaded(nw.net("resnet50", stride_in="1x1"), other, tmp_path)
    assert error(model, other) <= 1e-5
    with pytest.raises(nw.WeightsError, match=rf"pytorchcv {FIRST}\('resnet50', stride_in='1x1'\)"):
        nw.net("resnet50").build(init="torch", weights=tmp_path / "model.pth")
    with pytest.warns(nw.weights.WeightsWarning, match=FIRST):
        model, late = loaded(nw.net("resnet50"), late, tmp_path, strict=False)
    assert error(model, late) <= 1e-5


@pytest.mark.parametrize(
    ("library", "name", "options", "refused"),
    [
        ("pytorchcv", "resnet50", {}, True),
        ("pytorchcv", "resnet50", {"stride_in": "1x1"}, False),
        ("pytorchcv", "resnet18", {}, False),
        ("pytorchcv", "resnet101", {"classes": 5}, True),
        ("pytorchcv", "resnext50_32x4d", {}, False),
        ("pytorchcv", "resnext50_32x4d", {"stride_in": "1x1"}, True),
        ("pytorchcv", "preresnet50", {}, False),
        ("torchvision", "resnet50", {}, False),
        ("torchvision", "resnet50", {"stride_in": "1x1"}, True),
        ("timm", "resnet152", {"stride_in": "1x1"}, True),
        ("timm", "preresnet50", {}, True),
        ("timm", "resnetv2_50", {}, False),
    ],
)
def test_strides_of_libraries(library, name, options, refused):
    said = twin(nw.net(name, **options), library)
    assert said.startswith(f"{library} has the strides in the") if refused else said == ""


@torch.inference_mode()
def test_another_net_of_timm_with_the_same_keys_is_refused(tmp_path):
    """Its own EfficientNet-Lite pads and normalises otherwise; config.json says which it is."""
    net = nw.net("efficientnet_lite0", input=(3, 64, 64))
    with torch.device("meta"):
        other, own = peer("timm", "tf_efficientnet_lite0"), peer("timm", "efficientnet_lite0")
    with pytest.warns(nw.weights.WeightsWarning, match="of its efficientnet_lite0, which is not"):
        model, other = loaded(net, other, tmp_path, strict=False)
    assert error(model, other) <= 1e-5
    state = random_state(own.state_dict(), seed=3)
    save_file(state, tmp_path / "model.safetensors")
    for architecture, refused in (("tf_efficientnet_lite0", False), ("efficientnet_lite0", True)):
        (tmp_path / "config.json").write_text(json.dumps({"architecture": architecture}))
        if refused:
            with pytest.raises(nw.WeightsError, match="efficientnet_lite0 of timm is another net"):
                net.build(init="torch", weights=tmp_path)
        else:
            assert error(net.build(init="torch", weights=tmp_path).eval(), other) <= 1e-5


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
