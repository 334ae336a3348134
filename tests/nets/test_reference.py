"""Plans held against published tables and counted references, number by number."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import netwright as nw

FOLDER = Path(__file__).parents[1] / "reference"


def table(name):
    """Rows of a reference table."""
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))


def kilobytes(row):
    """The output of a unit at 4 bytes an element, as the tables count."""
    return row.elements * 4 / 1024


def check_row(row, wanted, mflop=None, params_k=None):
    """One row of a published table: `memory_kb`, `params_k` and `mflop` are rounded, a
    pool's mflop is its other operations. A `mflop` or `params_k` given here corrects it."""
    params_k = wanted["params_k"] if params_k is None else params_k
    mflop = wanted["mflop"] if mflop is None else mflop
    assert row.output[0] == int(wanted["out_channels"])
    assert row.output[1:] in ((), (int(wanted["out_size"] or 0),) * 2)
    assert abs(kilobytes(row) - int(wanted["memory_kb"])) <= 0.5
    assert round(row.params / 1e3) == int(params_k)
    assert round((row.macs or row.ops) / 1e6) == int(mflop)


def test_counts_are_those_of_the_references():
    references = {row["name"]: row for row in table("nets.csv")}
    held = 0
    for name in nw.nets():
        if name not in references:
            continue
        wanted, plan = references[name], nw.net(name).plan()
        sizes = [int(size) for size in wanted["input"].split("x")]
        assert plan.input == (*sizes,) or plan.input[1:] == (*sizes * 2,), name
        for what, number in (("params", plan.params), ("macs", plan.macs)):
            if wanted[what]:
                assert number == int(wanted[what]), (name, what)
                held += 1
    assert held >= 50


def test_auxiliary_heads_of_googlenet():
    assert nw.net("googlenet", aux=True).plan().params == 13_378_280
    assert nw.net("googlenet", aux=True).plan().macs == nw.net("googlenet").plan().macs


def test_alexnet_row_by_row():
    """The table omits the biases of fc6, fc7 and fc8, and gives conv4 145 MMACs, which are
    13 * 13 * 256 * 384 * 9 = 149.5; those four are held against the right numbers."""
    rows = nw.net("alexnet").plan((3, 227, 227))
    paths = {"pool5": "pool5", "flatten": "head.flatten", "fc6": "head.fc1", "fc7": "head.fc2",
             "fc8": "head.fc3"}  # fmt: skip
    corrected = {
        "conv4": {"mflop": 150},
        "fc6": {"params_k": 37_753},
        "fc7": {"params_k": 16_781},
        "fc8": {"params_k": 4_097},
    }
    for wanted in table("alexnet.csv"):
        layer = wanted["layer"]
        row = rows.row(paths.get(layer, layer))
        check_row(row, wanted, **corrected.get(layer, {}))
        if wanted["kernel"]:
            assert row.unit.kernel == int(wanted["kernel"])
            assert row.unit.stride == int(wanted["stride"])
            assert row.input == (int(wanted["in_channels"]), *[int(wanted["in_size"])] * 2)
    assert rows.row("conv3").macs == 112_140_288
    assert rows.row("head.fc1").params == 37_752_832
    assert rows.row("head.fc3").params == 4_097_000
    assert round(rows.activations * 4 / 2**20, 1) == 1.9  # MB, of units that multiply
    assert round(rows.params / 1e6) == 61
    assert round(rows.macs / 1e9, 1) == 0.7


def test_googlenet_stem_row_by_row():
    rows = nw.net("googlenet").plan()
    paths = ("conv1.conv", "pool1", "reduce.conv", "conv2.conv", "pool2")
    published = table("googlenet_stem.csv")
    for path, wanted in zip(paths, published, strict=True):
        row = rows.row(f"stem.{path}")
        check_row(row, wanted)
        assert row.unit.kernel == int(wanted["kernel"])
        assert row.unit.stride == int(wanted["stride"])
        assert row.input == (int(wanted["in_channels"]), *[int(wanted["in_size"])] * 2)


def test_resnets_as_published():
    """The paper rounds some operations and truncates others: 3.86 is printed as 3.8, 7.58
    as 7.6. Its bottlenecks have the stride in the first 1x1, its basic blocks pad."""
    for row in table("resnet.csv"):
        name = row["net"].lower().replace("-", "")
        paper = {"shortcut": "A"} if row["block"] == "basic" else {"stride_in": "1x1"}
        net = nw.net(name, **paper)
        stages = [net.spec[f"stage{i}"] for i in (1, 2, 3, 4)]
        assert [len(stage) for stage in stages] == [
            int(row[f"stage{i}_blocks"]) for i in (1, 2, 3, 4)
        ]
        assert type(stages[0][0]).__name__.lower().removesuffix("block") == row["block"]
        assert abs(net.plan().macs / 1e9 - float(row["gflop"])) < 0.1


def test_squeeze_and_excitation_as_published():
    """With the paper's stride, and the excitations' own pooling and scaling counted in."""
    (row,) = [row for row in table("senet.csv") if row["net"] == "ResNet-50"]
    for name, column in (("resnet50", "gflops"), ("seresnet50", "se_gflops")):
        plan = nw.net(name, stride_in="1x1").plan()
        extra = sum(row.ops for row in plan if ".body.attention" in row.path)
        assert round((plan.macs + extra) / 1e9, 2) == float(row[column]), name


def test_se_vgg_by_hand():
    """Two dense units with biases a convolution; the excitations are 1x1 convolutions."""
    widths = (64, 64, 128, 128, *[256] * 3, *[512] * 6)
    squeezes = sum(2 * c * (c // 16) for c in widths)
    plain, plan = nw.net("vgg16_bn").plan(), nw.net("se_vgg16").plan()
    assert plan.params == plain.params + squeezes + sum(c + c // 16 for c in widths)
    assert plan.macs == plain.macs + squeezes


def test_stems_of_resnet18():
    """Published at 6.90, 7.25 and 10.57 GMACs."""
    for name, gmacs in (("resnet18_a", 6.90), ("resnet18_b", 7.25), ("root_resnet18", 10.57)):
        assert round(nw.net(name).plan().macs / 1e9, 2) == gmacs


def test_stochastic_depth_decays_linearly_to_a_half():
    plan = nw.net("stochastic_depth_resnet110_cifar10").plan()
    rates = [row.unit.rate for row in plan if isinstance(row.unit, nw.DropPath)]
    assert len(rates) == 54
    assert rates == pytest.approx([i / 108 for i in range(1, 55)])
    assert plan.params == nw.net("resnet110_cifar10_a").plan().params


def test_cifar_resnets_as_published():
    """Table 6 of the paper, millions of parameters; those nets pad their shortcuts."""
    published = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7}
    for depth, millions in published.items():
        params = nw.net(f"resnet{depth}_cifar10_a").plan().params
        assert params / 1e6 == pytest.approx(millions, abs=0.03), depth


def test_unet_by_hand():
    """3x3 twice a step, 2x2 on the way up, 1x1 at the end, biases everywhere."""
    widths = (64, 128, 256, 512, 1024)
    pairs = sum(9 * c * w + w + 9 * w * w + w for c, w in zip((1, *widths), widths, strict=False))
    ups = sum(4 * 2 * w * w + w + 9 * 2 * w * w + w + 9 * w * w + w for w in widths[:-1])
    assert nw.net("unet").plan().params == pairs + ups + 64 * 2 + 2


def test_high_resolution_nets_as_published():
    """Millions of parameters: Sun et al. 2019, table 1; Wang et al. 2019, table 3."""
    for name, millions in (("hrnetv1_w32", 28.5), ("hrnetv1_w48", 63.6), ("hrnetv2_w48", 65.9)):
        assert round(nw.net(name).plan().params / 1e6, 1) == millions, name


def test_residual_attention_on_cifar_near_what_was_published():
    """Table 6 of the paper, millions of parameters of Attention-92, -236 and -452."""
    for modules, units, millions in ((2, (1, 2, 1), 1.9), (6, (1, 2, 1), 5.1), (6, (2, 4, 2), 8.6)):
        net = nw.net("resattnet452_cifar10", modules=(modules,) * 3, units=units)
        assert net.plan().params / 1e6 == pytest.approx(millions, rel=0.04)


def test_cells_and_random_wiring_as_published():
    """Tables 2 and 3 of Zoph et al. 2017, 4 and 5 of Liu et al. 2017, 2 and 3 of Xie et al.
    2019, whose numbers are means of five graphs: millions of parameters and MACs."""
    published = {
        "nasnet_4a1056": (5.3, 564),
        "nasnetalarge": (88.9, 23_800),
        "pnasnet5mobile": (5.1, 588),
        "pnasnet5large": (86.1, 25_000),
        "randwire_ws_small": (5.6, 583),
        "randwire_ws_regular": (31.9, 4_000),
    }
    for name, (params, macs) in published.items():
        plan = nw.net(name).plan()
        assert plan.params / 1e6 == pytest.approx(params, rel=0.02), name
        assert plan.macs / 1e6 == pytest.approx(macs, rel=0.02), name


def test_backbone_of_swidernet_as_published():
    rows = [row for row in nw.net("swidernet_1_1_1").plan() if not row.path.startswith("head")]
    assert round(sum(row.params for row in rows) / 1e6, 1) == 109.0


def test_narrow_mobilenets_as_published():
    """Table 6 of the paper, millions of MACs; parameters as pytorchcv has them."""
    published = {"x0_75": (325, 2_585_560), "x0_5": (149, 1_331_592), "x0_25": (41, 470_072)}
    for width, (mmacs, params) in published.items():
        plan = nw.net(f"mobilenet_v1_{width}").plan()
        assert (round(plan.macs / 1e6), plan.params) == (mmacs, params)
