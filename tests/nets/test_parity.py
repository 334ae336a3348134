"""The same weights give the same logits as in the libraries that others use."""

from __future__ import annotations

import re

import pytest
import torch

import netwright as nw
from netwright.weights import to_peer
from peers import peer
from zoo import DEEP, marked

REGNETS = ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")
TORCHVISION = [
    "alexnet",
    *[f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")],
    *[f"resnet{depth}" for depth in (18, 34, 50, 101, 152)],
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
    *[f"densenet{depth}" for depth in (121, 161, 169, 201)],
    "mobilenet_v2",
    *[f"shufflenet_v2_x{width}" for width in ("0_5", "1_0", "1_5", "2_0")],
    *[f"convnext_{size}" for size in ("tiny", "small", "base", "large")],
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    *[f"regnet_x_{macs}" for macs in REGNETS],
    *[f"regnet_y_{macs}" for macs in REGNETS],
    *[f"efficientnet_b{i}" for i in range(8)],
    "squeezenet1_0",
    "squeezenet1_1",
]
PEERS = {name: ("torchvision", name, {}) for name in TORCHVISION} | {
    **{
        name: ("torchvision", f"segmentation.{name}", {"weights_backbone": None})
        for name in (
            f"{kind}_resnet{depth}" for kind in ("fcn", "deeplabv3") for depth in (50, 101)
        )
    },
    "r3d_18": ("torchvision", "video.r3d_18", {}),
    "r2plus1d_18": ("torchvision", "video.r2plus1d_18", {}),
    "googlenet_bn": ("torchvision", "googlenet", {"aux_logits": False, "init_weights": False}),
    "squeezenet1_0_simple_bypass": ("pytorchcv", "squeezeresnet_v1_0", {}),
    "squeezeresnet_v1_0": ("pytorchcv", "squeezeresnet_v1_0", {}),
    "pyramidnet101_a360": ("pytorchcv", "pyramidnet101_a360", {}),
    "pyramidnet200_a300": (
        "pytorchcv.models.pyramidnet",
        "get_pyramidnet",
        {"blocks": 200, "alpha": 300},
    ),
    **{
        f"preresnet{depth}": ("pytorchcv", f"preresnet{depth}", {})
        for depth in (18, 34, 50, 101, 152, 200)
    },
    "polynet": ("pytorchcv", "polynet", {}),
    "resattnet56": ("pytorchcv", "resattnet56", {}),
    "resattnet92": ("pytorchcv", "resattnet92", {}),
    "resnet200": ("timm", "resnet200", {}),
    "cbam_resnet18": ("pytorchcv", "cbam_resnet18", {}),
    "cbam_resnet50": ("pytorchcv", "cbam_resnet50", {}),
    "bam_resnet50": ("pytorchcv", "bam_resnet50", {}),
    "bn_inception": ("pytorchcv", "bninception", {}),
    **{f"hrnet_w{width}": ("timm", f"hrnet_w{width}", {}) for width in (18, 32, 48)},
    "inception_resnet_v1": ("pytorchcv", "inceptionresnetv1", {}),
    "inception_resnet_v2": ("timm", "inception_resnet_v2", {}),
    "inception_v3": ("torchvision", "inception_v3", {"aux_logits": False, "init_weights": False}),
    "inception_v4": ("timm", "inception_v4", {}),
    **{f"seresnet{depth}": ("timm", f"seresnet{depth}", {}) for depth in (50, 101, 152)},
    "seresnext50_32x4d_timm": ("timm", "seresnext50_32x4d", {}),
    **{
        name: ("timm", f"legacy_{name}", {})
        for name in ("seresnext50_32x4d", "seresnext101_32x4d", "senet154")
    },
    "resnext101_32x4d": ("timm", "resnext101_32x4d", {}),
    **{
        f"resnext{depth}_{groups}x{width}d": (
            "torchvision",
            f"resnet{depth}",
            {"groups": groups, "width_per_group": width},
        )
        for depth in (50, 101)
        for groups, width in ((2, 40), (4, 24), (8, 14))
    },
    **{f"resnetv2_{depth}": ("timm", f"resnetv2_{depth}", {}) for depth in (50, 101, 152)},
    "densenet264": ("timm", "densenet121", {"block_config": (6, 12, 64, 48)}),
    "mobilenet_v1": ("timm", "mobilenetv1_100", {}),
    **{f"efficientnet_lite{i}": ("timm", f"tf_efficientnet_lite{i}", {}) for i in range(5)},
    **{f"shufflenet_g{g}_w1": ("pytorchcv", f"shufflenet_g{g}_w1", {}) for g in (1, 2, 3, 4, 8)},
    "xception": ("timm", "legacy_xception", {}),
    "ghostnet_100": ("timm", "ghostnet_100", {}),
    "darknet53": ("timm", "darknet53", {}),
    "darknet19": ("pytorchcv", "darknet19", {}),
    "zfnet": ("pytorchcv", "zfnet", {}),
    "darts": ("pytorchcv", "darts", {}),
    "nasnet_4a1056": ("pytorchcv", "nasnet_4a1056", {}),
    "nasnetalarge": ("timm", "nasnetalarge", {}),
    "pnasnet5large": ("timm", "pnasnet5large", {}),
    "nin_cifar10": ("pytorchcv", "nin_cifar10", {}),
    **{
        name: ("pytorchcv", name, {})
        for name in (f"resnet{depth}_cifar10" for depth in (20, 56, 110))
    },
    **{
        name: ("pytorchcv", name, {})
        for name in (
            "preresnet20_cifar10",
            "preresnet110_cifar10",
            "preresnet164bn_cifar10",
            "sepreresnet20_cifar10",
            "wrn16_10_cifar10",
            "wrn28_10_cifar10",
            "wrn40_8_cifar10",
            "pyramidnet110_a48_cifar10",
            "pyramidnet110_a84_cifar10",
            "pyramidnet110_a270_cifar10",
            "pyramidnet164_a270_bn_cifar10",
            "pyramidnet272_a200_bn_cifar10",
            "resnext29_32x4d_cifar10",
            "resnext29_16x64d_cifar10",
            "resnet1202_cifar10",
            "preresnet1001_cifar10",
        )
    },
    **{
        name: ("pytorchcv", name, {})
        for name in (f"densenet{net}_bc_cifar10" for net in ("100_k12", "190_k40", "250_k24"))
    },
    **{
        f"mobilenet_v1_x0_{width}": (
            "timm.models.efficientnet",
            "_gen_mobilenet_v1",
            {"variant": "mobilenetv1_100", "channel_multiplier": float(f"0.{width}")},
        )
        for width in (75, 5, 25)
    },
    **{
        name: (f"pytorchcv.models.{kind}_cifar", f"get_{kind}_cifar", {"num_classes": 10, **fields})
        for name, kind, fields in (
            ("resnet32_cifar10", "resnet", {"blocks": 32, "bottleneck": False}),
            ("resnet44_cifar10", "resnet", {"blocks": 44, "bottleneck": False}),
            ("wrn16_8_cifar10", "wrn", {"blocks": 16, "width_factor": 8}),
            ("wrn40_4_cifar10", "wrn", {"blocks": 40, "width_factor": 4}),
            (
                "resnext29_8x64d_cifar10",
                "resnext",
                {"blocks": 29, "cardinality": 8, "bottleneck_width": 64},
            ),
            (
                "pyramidnet164_a200_bn_cifar10",
                "pyramidnet",
                {"blocks": 164, "alpha": 200, "bottleneck": True},
            ),
        )
    },
}
"""Our name -> library, or module of one; its name; options."""
SMALL = 96
"""Height and width for nets whose head takes any; half of it for volumes."""
FIXED = (
    "bam_resnet50",
    "cbam_resnet18",
    "cbam_resnet50",
    "bn_inception",
    "inception_resnet_v1",
    "squeezenet1_0_simple_bypass",
    "squeezeresnet_v1_0",
    "pyramidnet101_a360",
    "pyramidnet200_a300",
    *(f"preresnet{depth}" for depth in (18, 34, 50, 101, 152, 200)),
    "polynet",
    "resattnet56",
    "resattnet92",
    "zfnet",
    "darknet19",
    "darts",
    "nasnet_4a1056",
    "nin_cifar10",
    *(f"shufflenet_g{g}_w1" for g in (1, 2, 3, 4, 8)),
)
LATE = (".downsample", ".identity_conv", ".layer_scale", ".skip", ".proj.")
"""Parts that peers list first, or in the middle of a block, and we last."""
EARLY = (".path.", ".path_", ".final_path_bn")
"""Parts that peers list after the first of a block, and we first."""
WHEEL = 1_000_003
"""Random numbers of a big tensor come round again; a prime, so that no axis lines up."""


def random_state(state, seed):
    """Weights that neither fade nor explode, statistics away from 0 and 1, by shape."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(WHEEL, generator=generator)

    def fill(name, like):
        if not like.is_floating_point():
            return torch.zeros_like(like, device="cpu")
        if name.endswith("running_var") or (name.endswith("weight") and like.dim() == 1):
            return torch.rand(like.shape, generator=generator) + 0.5
        if like.dim() == 1:
            return torch.randn(like.shape, generator=generator) * 0.1
        turns = -(-like.numel() // WHEEL)
        scale = (2 / like[0].numel()) ** 0.5
        return numbers.repeat(turns)[: like.numel()].view(like.shape) * scale

    return {name: fill(name, like) for name, like in state.items()}


def keys(module):
    """Names of a peer's weights in our order: what `EARLY` names comes first in its block,
    what `LATE` names last."""
    names = list(module.state_dict())
    moved = {name: word for name in names for word in (*EARLY, *LATE) if word in name}
    blocks = tuple({name.split(word)[0] + "." for name, word in moved.items()})
    first = {}

    def place(i, name):
        block = next((block for block in blocks if name.startswith(block)), name)
        word = moved.get(name)
        return first.setdefault(block, i), (word in LATE) - (word in EARLY)

    order = {name: place(i, name) for i, name in enumerate(names)}
    return sorted(sorted(names, key=order.__getitem__), key=as_run(names))


def as_run(names):
    """Peers list all ways down an hourglass, all up and all skips, and what is shared before
    all that is not; ours come as they run, the trunk, the first skip, before its hourglass."""
    first = {}

    def place(name):
        if part := re.match(r"(.*\.hg)\.(down|up|skip)_seq\.\D+(\d+)", name):
            way, depth = part[2], int(part[3])
            turn = {"down": (1, depth), "up": (2, -depth), "skip": (2, 0.5 - depth)}[way]
            turn = turn if turn != (2, -0.5) else (0,)
        elif part := re.match(r"(.*\.poly)\.(?:(?:.*\.bns|res_blocks)\.(\d))?", name):
            turn = (int(part[2] or 0),)
        else:
            return first.setdefault(name, (len(first),))
        return *first.setdefault(part[1], (len(first),)), *turn

    return place


def owners(model):
    """The names of a model's weights, each with the first name of the same weight."""
    first = {}

    def owner(name):
        path, _, leaf = name.rpartition(".")
        return first.setdefault((model.get_submodule(path), leaf), name)

    return {name: owner(name) for name in model.state_dict()}


@pytest.mark.parametrize("name", marked(PEERS))
@torch.inference_mode()
def test_logits_agree(name):
    library, called, options = PEERS[name]
    net = nw.net(name)
    channels, *sizes = net.input
    if name not in FIXED:
        sizes = [min(size, SMALL // (len(sizes) - 1)) for size in sizes]
    model = net.but(input=(channels, *sizes)).build(device="meta", init="torch").eval()
    with torch.device("cpu" if called.startswith("regnet") else "meta"):  # it computes its widths
        other = peer(library, called, **options).eval()
    held, known = model.state_dict(), owners(model)
    state = random_state({name: held[name] for name in dict.fromkeys(known.values())}, seed=7)
    names, shapes = keys(other), other.state_dict()
    wanted = [shapes[name].squeeze().shape for name in names]  # timm has 1x1s as heads
    assert wanted == [t.squeeze().shape for t in state.values()]
    model.load_state_dict({name: state[owner] for name, owner in known.items()}, assign=True)
    theirs = {n: t.view(shapes[n].shape) for n, t in zip(names, state.values(), strict=True)}
    other.load_state_dict(theirs, assign=True)
    x = torch.randn(2, channels, *sizes, generator=torch.Generator().manual_seed(8))
    if name in DEEP:  # every block doubles the variance: beyond single precision
        model, other, x = model.double(), other.double(), x.double()
    ours, wanted = model(x), other(x)
    wanted = wanted["out"] if isinstance(wanted, dict) else wanted
    spread = wanted.std()
    assert spread > 1e-3  # logits that are all alike would agree with anything
    assert (ours - wanted).abs().max() <= 1e-5 * wanted.abs().max()


@pytest.mark.parametrize("i", range(5))
@torch.inference_mode()
def test_lite_nets_agree_with_the_package_of_their_weights(i):
    """On maps of odd sizes, where TensorFlow's padding is even; on even ones timm's test is."""
    net = nw.net(f"efficientnet_lite{i}", input=(3, 65, 79))
    model = net.build(device="meta", init="torch").eval()
    state = random_state(model.state_dict(), seed=7)
    model.load_state_dict(state, assign=True)
    other = peer("efficientnet_lite_pytorch", f"efficientnet-lite{i}", image_size=[65, 79]).eval()
    other.load_state_dict(to_peer(net, state, "efficientnet_lite_pytorch"))
    x = torch.randn(2, *net.input, generator=torch.Generator().manual_seed(8))
    wanted = other(x)
    assert wanted.std() > 1e-3
    assert (model(x) - wanted).abs().max() <= 1e-5 * wanted.abs().max()


ALONE = {"aux_logits": True, "init_weights": False}
SEGMENTED = {"aux_loss": True, "weights_backbone": None}


@pytest.mark.parametrize(
    ("name", "heads", "options"),
    [
        ("googlenet_bn", {"out": "logits", "aux4a": "aux_logits1", "aux4d": "aux_logits2"}, ALONE),
        ("inception_v3", {"out": "logits", "aux": "aux_logits"}, ALONE),
        ("fcn_resnet50", {"out": "out", "aux": "aux"}, SEGMENTED),
        ("deeplabv3_resnet50", {"out": "out", "aux": "aux"}, SEGMENTED),
    ],
)
@torch.inference_mode()
def test_auxiliary_heads_agree(name, heads, options):
    """In training, on the batch's own statistics, without dropout."""
    net = nw.net(name, aux=True, classes=10)
    if options is SEGMENTED:
        net = net.but(input=(3, 64, 64))
    model = net.build(init="torch")
    other = peer("torchvision", PEERS[name][1], num_classes=10, **options)
    for module in (*model.modules(), *other.modules()):
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    state = random_state(model.state_dict(), seed=7)
    model.load_state_dict(state)
    other.load_state_dict(to_peer(net, state, "torchvision"))
    x = torch.randn(4, *net.input, generator=torch.Generator().manual_seed(8))
    ours, wanted = model.train()(x), other.train()(x)
    wanted = wanted if isinstance(wanted, dict) else wanted._asdict()
    assert set(ours) == set(heads)
    for mine, theirs in heads.items():
        assert wanted[theirs].std() > 1e-3
        error = (ours[mine] - wanted[theirs]).abs().max()
        assert error <= 1e-5 * wanted[theirs].abs().max(), mine


def test_every_peer_is_shipped():
    assert set(PEERS) <= set(nw.nets())
