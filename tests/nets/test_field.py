"""Receptive fields of whole nets, held against the support of gradients.

A gradient through the built module, its weights made positive and its maxima means, is not
zero exactly at the input positions that a unit sees. On the way back it is cut to 0 and 1
behind every convolution, so that a hundred of them neither under- nor overflow. Images are
long strips, nets are thin: neither changes a field. The deepest nets, whose strips are the
longest, are made shallow.
"""

from __future__ import annotations

from collections import Counter

import pytest
import torch

import netwright as nw
from netwright.errors import ShapeError
from netwright.layers import GlobalAvgPool, GlobalMaxPool
from oracles import assert_field_is_true, is_inside, planned_sets, seen_by, surrogate
from zoo import DEEP

SIZES = {
    "alexnet": 195,
    "vgg16": 212,
    "googlenet": 715,
    "googlenet_bn": 379,
    "resnet18": 435,
    "resnet50": 427,
    "resnet152": 1451,
    "densenet121": 2071,
    "densenet201": 3863,
    "mobilenet_v2": 491,
}
"""Of the last feature map (Araujo et al. 2019, and by the recurrence for 5x5 GoogLeNet)."""

THIN = {
    "alexnet": {"hidden": 8},
    "alexnet_grouped": {"hidden": 8},
    "cmpe_se_resnet": {"width": 2},
    "cmpe_se_wrn": {"width": 30, "widen": 1},
    "convnext_road": {"width": 4},
    "convnext": {"width": 4},
    "amoebanet": {"width": 2},
    "darknet53": {"width": 2},
    "darts": {"width": 2},
    "enas": {"width": 2},
    "cbam_resnet": {"width": 2},
    "deeplabv3": {"width": 2},
    "densenet": {"growth": 2},
    "efficientnet": {"width": 0.1},
    "efficientnet_lite": {"width": 0.1},
    "fcn_resnet": {"width": 2},
    "fcn": {"width": 1, "hidden": 2},
    "hrnet": {"width": 2},
    "mobilenet": {"width": 0.1},
    "nasnet_a_cifar10": {"width": 2},
    "nasnet": {"width": 8, "stem": 2},
    "pnasnet": {"width": 8, "stem": 2},
    "preresnet": {"width": 1},
    "pyramidnet": {"width": 1, "alpha": 3},
    "randwire": {"width": 2},
    "resnet": {"width": 2},
    "resnext": {"width": 2, "groups": 1, "widen": 1},
    "root_resnet": {"width": 2},
    "stochastic_depth_resnet": {"width": 2},
    "se_vgg": {"width": 1, "hidden": 8},
    "sepreresnet": {"width": 2},
    "seresnet": {"width": 2},
    "se_wrn": {"width": 1, "widen": 1},
    "seresnext": {"width": 2, "groups": 1},
    "swidernet": {"stem": 0.03, "width": 0.01},
    "unet": {"width": 1},
    "vgg": {"width": 1, "hidden": 8},
    "wide_resnet": {"width": 1},
    "wrn": {"width": 1, "widen": 1},
    "zfnet": {"hidden": 8},
}
BULKY = (*(f"regnet_{kind}_{size}gf" for kind in "xy" for size in (8, 16, 32)), "polynet")
"""Nets too wide for this, with no width to be changed without changing more."""
SIZED = ("resattnet56",)
"""Nets whose fields depend on the size of the image: their maps are resized corner to corner."""
SHALLOW = {
    "densenet": {"depths": (1, 2, 1, 1)},
    "hrnet": {"modules": (1, 1)},
    "polynet": {"depths": (1, 1, 1)},
    "preresnet1001": {"depth": 11},
    "preresnet": {"depths": (1, 2, 1, 1)},
    "pyramidnet200": {"depths": (1, 2, 1, 1)},
    "pyramidnet": {"depth": 29},
    "regnet": {"depth": 6, "width": 8, "group_width": 4, "slope": 8.0, "step": 2.0},
    "resattnet": {"modules": (1, 1, 1), "width": 2},
    "resnet1202": {"depth": 8},
    "resnetv2": {"depths": (1, 2, 1, 1)},
    "se_inception": {"depths": (1, 1, 1)},
    "seresnet": {"depths": (1, 2, 1, 1)},
    "stochastic_depth": {"depth": 8},
}
"""Options that make these nets small."""


class _Cut(torch.autograd.Function):
    """x -> x; gradient -> 1 where it is not zero."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return (grad != 0).to(grad.dtype)


class Strip:
    """A thin net on an image so long that the middle unit of its last map sees no border."""

    def __init__(self, name, **options):
        family = next((f for f in THIN if name.startswith(f)), None)
        self.net = nw.net(name, classes=2, **{**THIN.get(family, {}), **options})
        field = self.net.plan().field
        long = field.size[0] + 8 * int(field.jump[0])
        self.plan = self._narrowest(-(-long // 32) * 32)
        self.outputs = {}
        self.x = torch.zeros(1, *self.plan.input, requires_grad=True)
        self._run()

    def _narrowest(self, height):
        for width in (32, 64, 96, 128):
            try:
                return self.net.plan((self.net.input[0], height, width))
            except ShapeError:
                continue
        pytest.fail(f"{self.net.name} takes no narrow strip")

    def _run(self):
        net = self.net.but(input=self.plan.input)
        model = surrogate(net.build(init="torch")).float().requires_grad_(False)
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
                module.register_forward_hook(lambda m, xs, y: _Cut.apply(y))
            if isinstance(module, GlobalAvgPool | GlobalMaxPool):
                module.register_forward_hook(lambda m, xs, y: y.detach())
        rows = [row for row in self.plan if row.field.axes is not None]
        modules = {row.path: model.get_submodule(row.path) for row in rows}
        times = Counter(modules.values())
        self.rows = [row for row in rows if times[modules[row.path]] == 1]  # not what is shared
        for row in self.rows:
            modules[row.path].register_forward_hook(self._keep(row.path))
        model(self.x)

    def _keep(self, path):
        return lambda m, xs, y: self.outputs.__setitem__(path, y)

    def seen(self, row, unit):
        """Rows of the image that a unit depends on."""
        at = self.outputs[row.path][(0, slice(None), *unit)].sum()
        (grad,) = torch.autograd.grad(at, self.x, retain_graph=True)
        return set(grad[0].ne(0).any(0).any(1).nonzero().flatten().tolist())

    def check(self):
        """Some rows, the last among them, which is returned."""
        rows = [row for row in self.rows if not isinstance(row.unit, nw.AdaptiveAvgPool)]
        *some, last = [*rows[:: max(1, len(rows) // 6)], rows[-1]]
        for row in (*some, last):
            unit = (row.output[1] // 2, row.output[2] // 2)
            assert self.seen(row, unit) == self.planned(row, unit), row.path
        return last

    def planned(self, row, unit):
        """The same by the plan."""
        first, mask = row.field.axes[0].seen(unit[0])
        positions = (first + i for i in range(mask.bit_length()) if mask >> i & 1)
        return {i for i in positions if 0 <= i < self.plan.input[1]}


def is_image(name):
    """Whether a net is meant for images: of three colours, or square."""
    colours, *sizes = nw.net(name).input
    return len(sizes) == 2 and (colours == 3 or len(set(sizes)) == 1)


LEFT_OUT = DEEP + BULKY + SIZED


@pytest.mark.parametrize("name", [n for n in nw.nets() if n not in LEFT_OUT and is_image(n)])
def test_fields_are_supports_of_gradients(name):
    strip = Strip(name)
    last = strip.check()
    assert last.field.size == nw.net(name).plan().field.size
    assert last.field.axes[0] == last.field.axes[1]  # a 1x7 goes with a 7x1
    if len(last.field.axes[0].sets) == 1:
        _check_recurrence(strip, last)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_fields_of_shallow_nets_are_supports_of_gradients(name):
    options = next(fields for family, fields in SHALLOW.items() if name.startswith(family))
    strip = Strip(name, **options)
    last = strip.check()
    assert last.field.size[0] < strip.plan.input[1]


SIGNALS = {
    "c3d": {"width": 1, "hidden": 2, "input": (3, 16, 64, 64)},
    "cnn_lstm": {},
    "conv_lstm": {"widths": (2, 2), "input": (3, 1, 64, 64)},
    "ecg_cnn1d": {"widths": (2, 2, 2)},
    "ecg_stft_cnn": {"width": 1, "blocks": 1},
    "eegnet_4_2": {},
    "eegnet_8_2": {},
    "p3d131": {"width": 1, "depths": (1, 1, 1, 1), "input": (3, 16, 64, 64)},
    "p3d199": {"width": 1, "depths": (2, 1, 1, 1), "input": (3, 16, 64, 64)},
    "p3d63": {"width": 1, "depths": (1, 2, 1, 1), "input": (3, 16, 64, 64)},
    "r2plus1d_18": {"width": 2, "depth": 1, "input": (3, 16, 48, 48)},
    "r3d_18": {"width": 2, "depth": 1, "input": (3, 16, 48, 48)},
}
"""Nets of signals, sequences and volumes, and options that make them small."""


@pytest.mark.parametrize("name", [name for name in nw.nets() if not is_image(name)])
def test_fields_of_signals_are_supports_of_gradients(name):
    """Outside TimeDistributed, whose rows are of one step; where the border is near, the field
    holds the support."""
    net = nw.net(name, **SIGNALS[name])
    plan = net.plan()
    rows = [row for row in plan if row.copies == 1 and row.field.axes is not None]
    model = surrogate(net.build(init="torch")) if rows else None
    for row in rows[:: max(1, len(rows) // 3)]:
        middle = [n // 2 for n in row.output[-len(row.field.axes) :]]
        if is_inside(plan, row.field, middle):
            assert_field_is_true(plan, model, row.path, middle)
        else:
            seen = seen_by(model, row.path, net.input, middle)
            for found, planned in zip(seen, planned_sets(row.field, middle), strict=True):
                assert found
                assert found <= planned, row.path


def _check_recurrence(strip, row):
    """Size, jump and start, from two neighbours that see no border."""
    middle = row.output[1] // 2
    a, b = (strip.seen(row, (middle + i, 0)) for i in (0, 1))
    assert min(a) > 0
    assert max(b) < strip.plan.input[1] - 1
    jump = min(b) - min(a)
    assert (row.field.size[0], row.field.jump[0]) == (max(a) - min(a) + 1, jump)
    assert row.field.start[0] == (min(a) + max(a)) / 2 - middle * jump


@pytest.mark.parametrize("name", SIZES)
def test_known_sizes(name):
    assert nw.net(name).plan().field.size == (SIZES[name],) * 2


def test_unet_fields_differ_from_unit_to_unit():
    strip = Strip("unet")
    row = strip.rows[-1]
    assert len(row.field.axes[0].sets) == 16
    middle = row.output[1] // 2
    boxes = set()
    for i in range(middle, middle + 18):
        found, (first, last) = strip.seen(row, (i, 5)), row.field.box((i, 5))[0]
        assert (min(found), max(found)) == (first, last)
        boxes.add((first - i, last - i))
    assert len(boxes) > 1
    assert max(last - first + 1 for first, last in boxes) == row.field.size[0]
