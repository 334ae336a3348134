"""Receptive fields of foreign modules: those of our own plans, and the support of gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

import netwright as nw
from nets import nets
from netwright.core.field import Field
from netwright.core.net import Net
from oracles import is_inside, planned_sets
from peers import peer


def assert_same(found: nw.Plan, own: nw.Plan) -> None:
    """Totals and the field of every row that has a part of the net for itself."""
    assert (found.params, found.macs, found.buffers) == (own.params, own.macs, own.buffers)
    assert found.output == own.output
    rows, paths = {row.path: row for row in own}, {row.path for row in found}
    for row in found:
        if f"{row.path}_2" in paths:  # a part that took several steps
            continue
        path = row.path.removesuffix(".join")
        if path in rows and rows[path].output == row.output:
            assert row.field == rows[path].field, row.path


quick = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

FAMILIES = """
    alexnet googlenet_bn inception_v3 densenet121 shufflenet_v2_x1_0 efficientnet_b0 convnext_tiny
    unet resnext50_32x4d darknet53 ghostnet_100 squeezenet1_0_complex_bypass xception
    mobilenet_v3_large
"""


@pytest.mark.parametrize("name", FAMILIES.split())
def test_our_nets_built_are_what_was_planned(name):
    net = nw.net(name)
    found = nw.plan(net.build(device="meta", init="torch"), net.input, strict=True)
    assert_same(found, net.plan())
    assert found.ops == net.plan().ops


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "mobilenet_v2", "googlenet_bn"])
def test_torchvision_has_the_units_of_our_nets(name):
    with torch.device("meta"):
        model = peer("torchvision", name.removesuffix("_bn"))
    found, own = nw.plan(model, (3, 224, 224)), nw.net(name).plan()
    assert found.macs == own.macs
    assert found.field.size == own.field.size
    convs, ours = ([row for row in plan if isinstance(row.unit, nw.Conv)] for plan in (found, own))
    assert sorted(map(_told, convs)) == sorted(map(_told, ours))


def _told(row):
    return repr(row.unit), row.output, row.params, row.macs, row.field.size, row.field.start


@given(nets())
@settings(quick, max_examples=60)
def test_random_nets_built_are_what_was_planned(net: Net) -> None:
    if net.plan().rows:
        assert_same(nw.plan(net.build(device="meta", init="torch"), net.input), net.plan())


# --------------------------------------------------- against executed gradients


class Program(nn.Module):
    """Steps on a stack of maps; every step is a function of the weights and earlier maps."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.weight = nn.ParameterDict(
            {str(k): nn.Parameter(torch.ones(2, 2, k, k)) for k in (1, 2, 3)}
        )

    def forward(self, x):
        maps = [x]
        for step, args in self.steps:
            maps.append(step(self, maps, *args))
        return maps[-1]


def _conv(m, maps, k, stride, dilation, padding):
    return F.conv2d(maps[-1], m.weight[str(k)], None, stride, padding, dilation)


def _transposed(m, maps, k, stride):
    return F.conv_transpose2d(maps[-1], m.weight[str(k)], stride=stride)


def _pool(m, maps, k, stride):
    return F.avg_pool2d(maps[-1], k, stride)


def _resized(m, maps, scale, mode):
    align = None if mode == "nearest" else False
    return F.interpolate(maps[-1], scale_factor=scale, mode=mode, align_corners=align)


def _resized_to(m, maps, part, mode, align):
    size = [max(1, n * part // 4) for n in maps[-1].shape[2:]]
    align = None if mode == "nearest" else align
    return F.interpolate(maps[-1], size, mode=mode, align_corners=align)


def _adapted(m, maps, part):
    return F.adaptive_avg_pool2d(maps[-1], [max(2, n * part // 4) for n in maps[-1].shape[2:]])


def _padded(m, maps, left, top):
    return F.pad(maps[-1], (left, 0, top, 1))


def _sliced(m, maps, start, step):
    return maps[-1][:, :, start:, ::step]


def _shuffled(m, maps):
    n, c, h, w = maps[-1].shape
    return maps[-1].view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


def _tokens(m, maps):
    _n, _c, h, w = maps[-1].shape
    tokens = maps[-1].flatten(2).transpose(1, 2) @ m.weight["1"][:, :, 0, 0]
    return tokens.permute(0, 2, 1).unflatten(2, (h, w))


def _last_channels(m, maps):
    y = F.linear(maps[-1].permute(0, 2, 3, 1), m.weight["1"][:, :, 0, 0])
    return torch.movedim(y, -1, 1)


def _joined(m, maps, back, how):
    a, b = maps[-1], maps[max(0, len(maps) - 1 - back)]
    h, w = min(a.shape[2], b.shape[2]), min(a.shape[3], b.shape[3])
    a, b = a[..., :h, :w], b[..., :h, :w]
    if how == "cat":
        return sum(torch.cat([a, b], 1).chunk(2, 1))
    return torch.stack([a, b]).sum(0) if how == "stack" else a + b


small = st.integers(1, 3)
one_or_two = st.integers(1, 2)


def _step(functions, *arguments):
    return st.tuples(st.sampled_from(functions), st.tuples(*arguments))


steps = st.lists(
    st.one_of(
        _step([_conv], small, one_or_two, one_or_two, st.integers(0, 2)),
        _step([_transposed, _pool], small, one_or_two),
        _step([_resized], st.integers(2, 3), st.sampled_from(["nearest", "bilinear"])),
        _step(
            [_resized_to],
            st.integers(2, 7),
            st.sampled_from(["nearest", "bilinear", "bicubic"]),
            st.booleans(),
        ),
        _step([_adapted], small),
        _step([_padded], small, small),
        _step([_sliced], st.integers(0, 3), one_or_two),
        _step([_shuffled, _tokens, _last_channels]),
        _step([_joined], small, st.sampled_from(["cat", "add", "stack"])),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@given(steps)
@settings(quick, max_examples=200)
def test_fields_of_functional_programs_are_supports_of_gradients(program):
    module = Program(program).double()
    size = (2, 61, 53)
    x = torch.ones(1, *size, dtype=torch.float64, requires_grad=True)
    try:
        y = module(x)
    except RuntimeError:
        assume(False)
    plan = nw.plan(Ending(module), size)
    field = plan.row("relu").field
    assert field.axes is not None
    unit = [n // 2 for n in y.shape[2:]]
    assume(not field.apart and min(unit) > 1 and is_inside(plan, field, unit))
    for at in (unit, [i - 1 for i in unit]):
        _assert_support(x, y, field, at)


class Ending(nn.Module):
    """A last row, whatever the steps before were."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return torch.relu(self.body(x))


def _assert_support(x: torch.Tensor, y: torch.Tensor, field: Field, unit: list[int]) -> None:
    (grad,) = torch.autograd.grad(y[(0, slice(None), *unit)].sum(), x, retain_graph=True)
    touched = grad[0].abs().sum(0) > 1e-9 * grad.abs().max()  # a weight of 0, rounded
    sets = planned_sets(field, unit)
    for axis, planned in enumerate(sets):
        found = set(touched.any(1 - axis).nonzero().flatten().tolist())
        if not all(sets):
            assert not found
        elif field.uneven:
            assert (min(found), max(found)) == (min(planned), max(planned))
        else:
            assert found == planned
