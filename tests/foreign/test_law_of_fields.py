"""The law of fields: whatever functions a module is made of, its plan's field is the support of
a gradient, or it says `unknown`; with numbers it is the same one.

Programs are chains of steps drawn by seed from a wide list, functions without a rule of ours
among them. Weights and inputs are random, so that nothing cancels; where a step picks positions
by their numbers, such as max pooling, the support is held to lie within the field.
"""

from __future__ import annotations

import random

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import netwright as nw
from oracles import is_inside, planned_sets

SIZE = (4, 28, 36)


def _mix(m: nn.Module, x: Tensor) -> Tensor:
    """All channels into four, so that each of them sees what all of them saw."""
    n = x.shape[1]
    return F.conv2d(x, m.weights[:4, :n, :1, :1])


def _even(x: Tensor) -> Tensor:
    return x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]


def _tokens(m, x):
    h, w = x.shape[2:]
    y = x.flatten(2).transpose(1, 2) @ m.weights[:4, :4, 0, 0]
    return y.transpose(1, 2).unflatten(2, (h, w))


def _space_to_depth(m, x):
    n, c, h, w = _even(x).shape
    y = _even(x).view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
    return _mix(m, y.reshape(n, 4 * c, h // 2, w // 2))


def _depth_to_space(m, x):
    n, _, h, w = x.shape
    y = F.conv2d(x, m.weights[:16, :4, :1, :1]).view(n, 4, 2, 2, h, w)
    return y.permute(0, 1, 4, 2, 5, 3).reshape(n, 4, 2 * h, 2 * w)


def _windows(m, x):
    """Attention within windows of 2 x 2, cut and put together again by views."""
    n, c, h, w = _even(x).shape
    y = _even(x).view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(-1, 4, c)
    y = F.normalize(y, dim=-1)
    y = F.scaled_dot_product_attention(y, y, y)
    y = y.view(n, h // 2, w // 2, 2, 2, c).permute(0, 5, 1, 3, 2, 4)
    return y.reshape(n, c, h, w)


def _attention(m, x):
    n, c, h, w = x.shape
    q = F.normalize(x.flatten(2).transpose(1, 2), dim=-1)
    return x + F.scaled_dot_product_attention(q, q, q).transpose(1, 2).reshape(n, c, h, w)


def _view_written(m, x):
    y = x.clone()
    y[:, :2].add_(F.avg_pool2d(x, 3, 1, 1)[:, :2])
    return _mix(m, y)


def _permuted_view_written(m, x):
    y = x.clone()
    y.permute(0, 2, 3, 1)[..., 1:].mul_(F.avg_pool2d(x, (1, 3), 1, (0, 1))[:, 1:].movedim(1, -1))
    return _mix(m, y)


def _assigned(m, x):
    y = torch.zeros_like(x)
    y[:, :2] = F.avg_pool2d(x, 3, 1, 1)[:, :2]
    y[:, 2:] = x[:, 2:]
    return _mix(m, y)


def _shifted(m, x):
    y = torch.zeros_like(x)
    y[:, :2, 1:] = x[:, :2, :-1]
    y[:, 2:] = x[:, 2:]
    return _mix(m, y)


def _gated_by_rows(m, x):
    return x * torch.sigmoid(x.mean(3)).unsqueeze(3)


def _resized_and_back(m, x):
    h, w = x.shape[2:]
    y = F.interpolate(x, (h * 3 // 5, w * 3 // 5), mode="bilinear", align_corners=True)
    return x + F.interpolate(y, (h, w), mode="bilinear", align_corners=True)


def _joined(m, x):
    return _mix(m, torch.cat([x, F.conv2d(x, m.weights[:4, :4, :3, :3], padding=1)], 1))


def _recurrent(m, x):
    n, c, h, w = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(n * h, w, c)
    return m.lstm(rows)[0].view(n, h, w, c).permute(0, 3, 1, 2)


def _conv(k, s=1, d=1):
    def step(m, x):
        return F.conv2d(x, m.weights[:4, :4, :k, :k], None, s, d * (k // 2), d)

    return step


SMOOTH = {
    "conv": _conv(3),
    "wide": _conv(3, 1, 2),
    "strided": _conv(3, 2),
    "transposed": lambda m, x: F.conv_transpose2d(x, m.weights[:4, :4, :2, :2], stride=2),
    "avg_pool2d": lambda m, x: F.avg_pool2d(x, 2),
    "divided": lambda m, x: F.avg_pool2d(x, 3, 1, 1, divisor_override=5),
    "lp_pool2d": lambda m, x: F.lp_pool2d(x.sin().exp(), 2.0, 3, 2),
    "adaptive_avg_pool2d": lambda m, x: F.adaptive_avg_pool2d(x, (9, 11)),
    "nearest": lambda m, x: F.interpolate(x, scale_factor=2),
    "nearest_exact": lambda m, x: F.interpolate(x, (17, 23), mode="nearest-exact"),
    "bilinear": lambda m, x: F.interpolate(x, (17, 23), mode="bilinear"),
    "corners": lambda m, x: F.interpolate(x, (19, 21), mode="bilinear", align_corners=True),
    "ratio": lambda m, x: F.interpolate(x, scale_factor=1.3, mode="bilinear"),
    "resized_and_back": _resized_and_back,
    "glu": lambda m, x: F.glu(torch.cat([x, x.sin()], 1), 1),
    "normed": lambda m, x: x / x.norm(dim=1, keepdim=True),
    "vector_norm": lambda m, x: x / torch.linalg.vector_norm(x, dim=1, keepdim=True),
    "std": lambda m, x: x / x.std(1, keepdim=True),
    "var_mean": lambda m, x: x - torch.var_mean(x, 1, keepdim=True)[1].sin(),
    "normalize": lambda m, x: F.normalize(x, dim=1),
    "layer_norm": lambda m, x: F.layer_norm(x.movedim(1, -1), (4,)).movedim(-1, 1),
    "norm_of_rows": lambda m, x: F.layer_norm(x, x.shape[3:]),
    "instance_norm": lambda m, x: F.instance_norm(x),
    "group_norm": lambda m, x: F.group_norm(x, 1),
    "softmax": lambda m, x: x.sin().softmax(1),
    "softmax_of_columns": lambda m, x: x.sin().softmax(2),
    "cumsum": lambda m, x: x.cumsum(3),
    "logcumsumexp": lambda m, x: x.sin().logcumsumexp(2),
    "channel_cumsum": lambda m, x: x.cumsum(1) + x.flip(1).cumsum(1),
    "mean_of_rows": lambda m, x: x - x.mean(3, keepdim=True),
    "gated_by_rows": _gated_by_rows,
    "squeezed": lambda m, x: x * x.mean((2, 3), keepdim=True),
    "flip": lambda m, x: x.flip(3),
    "both_ways": lambda m, x: x + 2 * x.flip(2),
    "roll": lambda m, x: x.roll((1, -2), (2, 3)),
    "rolled_far": lambda m, x: x.roll(x.shape[3] // 2, 3),
    "repeat_interleave": lambda m, x: x.repeat_interleave(2, 2),
    "tile": lambda m, x: x.repeat(1, 1, 1, 2),
    "einsum": lambda m, x: torch.einsum("nchw,cd->ndhw", x, m.weights[:4, :4, 0, 0]),
    "einsum_of_rows": lambda m, x: torch.einsum("nchw,nchv->nchw", x, x),
    "tensordot": lambda m, x: torch.tensordot(x.movedim(1, -1), m.weights[:4, :4, 0, 0], 1).movedim(
        -1, 1
    ),
    "matmul_of_rows": lambda m, x: x @ m.large[: x.shape[3], : x.shape[3]],
    "linear": lambda m, x: F.linear(x.movedim(1, -1), m.weights[:4, :4, 0, 0]).movedim(-1, 1),
    "unfold": lambda m, x: _mix(
        m, F.unfold(x, 3, padding=1).unflatten(2, x.shape[2:]) * m.weights[0, 0, 0, 0]
    ),
    "windows_of_rows": lambda m, x: x.unfold(3, 3, 2).sum(-1),
    "fold": lambda m, x: F.fold(F.unfold(x, 2, stride=2), _even(x).shape[2:], 2, stride=2),
    "pixel_shuffle": lambda m, x: F.pixel_shuffle(F.conv2d(x, m.weights[:16, :4, :1, :1]), 2),
    "pixel_unshuffle": lambda m, x: _mix(m, F.pixel_unshuffle(_even(x), 2)),
    "space_to_depth": _space_to_depth,
    "depth_to_space": _depth_to_space,
    "tokens": _tokens,
    "windows": _windows,
    "attention": _attention,
    "pad": lambda m, x: F.pad(x, (1, 2, 0, 1)),
    "reflect": lambda m, x: F.pad(x, (1, 1, 1, 1), mode="reflect"),
    "slice": lambda m, x: x[:, :, 1:-2, ::2],
    "narrow": lambda m, x: x.narrow(2, 1, x.shape[2] - 2),
    "chunk": lambda m, x: torch.cat(x.chunk(2, 1)[::-1], 1),
    "gather": lambda m, x: x.gather(3, (x * 0).long() + 3),
    "take": lambda m, x: x[:, :, torch.arange(x.shape[2] - 1, -1, -1)],
    "index_select": lambda m, x: x.index_select(1, torch.tensor([3, 1, 0, 2])),
    "grid_sample": lambda m, x: F.grid_sample(x, m.grid, align_corners=False),
    "fft": lambda m, x: torch.fft.fft2(x).real,
    "fft_of_rows": lambda m, x: torch.fft.fft(x).abs(),
    "hypot": lambda m, x: torch.hypot(x, F.avg_pool2d(x, 3, 1, 1)),
    "xlogy": lambda m, x: torch.special.xlogy(x, x.abs() + 1),
    "erfcx": lambda m, x: torch.special.erfcx(x.sin()),
    "logaddexp": lambda m, x: torch.logaddexp(x, x.sin()),
    "lerp": lambda m, x: x.lerp(x.cos(), 0.3),
    "addcmul": lambda m, x: torch.addcmul(x, x, x),
    "cdist": lambda m, x: torch.cdist(x, x + 1)[..., : x.shape[3]],
    "cross": lambda m, x: _mix(m, torch.linalg.cross(x[:, :3], x[:, 1:], dim=1)),
    "cosine": lambda m, x: x * F.cosine_similarity(x, x.sin(), 1).unsqueeze(1),
    "renorm": lambda m, x: x.renorm(2, 0, 1.0),
    "rot90": lambda m, x: torch.rot90(x, 1, (2, 3)),
    "transposed_axes": lambda m, x: x.transpose(2, 3),
    "diagonal": lambda m, x: x * x.diagonal(dim1=2, dim2=3).sum(-1)[..., None, None],
    "view_written": _view_written,
    "permuted_view_written": _permuted_view_written,
    "assigned": _assigned,
    "shifted": _shifted,
    "joined": _joined,
    "recurrent": _recurrent,
    "response_norm": lambda m, x: F.local_response_norm(x, 9),
    "flat_and_back": lambda m, x: torch.sin(x.flatten(1)).view(x.shape),
    "one_row": lambda m, x: x + x[:, :, 3:4],
    "one_row_selected": lambda m, x: x * x.select(2, 5).unsqueeze(2),
}
"""Steps whose gradient is not zero wherever there is a path."""
PICKING = {
    "max": lambda m, x: torch.max(x, -x),
    "max_pool2d": lambda m, x: F.max_pool2d(x, 3, 2),
    "adaptive_max_pool2d": lambda m, x: F.adaptive_max_pool2d(x, 7),
    "fractional": lambda m, x: F.fractional_max_pool2d(x, 2, output_ratio=(0.7, 0.7)),
    "sort": lambda m, x: x.sort(1)[0],
    "sorted_rows": lambda m, x: x.sort(3)[0],
    "topk": lambda m, x: _mix(m, x.topk(2, 1)[0]),
    "median": lambda m, x: x - x.median(1, keepdim=True)[0],
    "amax_of_rows": lambda m, x: x - x.amax(3, keepdim=True),
    "cummax": lambda m, x: x.cummax(2)[0],
    "relu": lambda m, x: F.relu(x),
    "masked": lambda m, x: x.masked_fill(x > 1, 0.5),
    "where": lambda m, x: torch.where(x > 0, x, F.avg_pool2d(x, 3, 1, 1)),
    "unpooled": lambda m, x: F.max_unpool2d(
        *F.max_pool2d(_even(x), 2, return_indices=True), 2),
    "tril": lambda m, x: x.tril(),
    "quantile": lambda m, x: x - x.quantile(0.5, 1, keepdim=True),
}  # fmt: skip
"""Steps that let some numbers pass and others not."""


WRAPPING = ("roll", "reflect")
"""Steps that read on at another place where the map ends; a field takes that for a border."""


class Program(nn.Module):
    """A convolution, steps, and another convolution."""

    def __init__(self, names: list[str]):
        super().__init__()
        draw = torch.Generator().manual_seed(1)
        self.names = names
        self.weights = nn.Parameter(torch.rand(16, 36, 3, 3, generator=draw) + 0.1)
        self.large = nn.Parameter(torch.rand(200, 200, generator=draw))
        self.register_buffer("grid", torch.rand(1, 14, 15, 2, generator=draw) - 0.5)
        self.lstm = nn.LSTM(4, 4, batch_first=True)

    def forward(self, x):
        for name in self.names:
            x = (SMOOTH.get(name) or PICKING[name])(self, x)
            if x[0, 0].numel() > 6000:
                raise RuntimeError("a map too large for a quick test")
        return F.conv2d(x, self.weights[:4, :4, :3, :3], padding=1)


def _drawn(seed: int) -> list[str]:
    draw = random.Random(seed)
    steps = [*SMOOTH, *SMOOTH, *PICKING]
    return ["conv", *draw.choices(steps, k=draw.randint(1, 3))]


def _support(x: Tensor, y: Tensor, unit: tuple[int, int]) -> list[set[int]]:
    weights = torch.rand(y.shape[1], generator=torch.Generator().manual_seed(2)).double()
    (grad,) = torch.autograd.grad((weights * y[(0, slice(None), *unit)]).sum(), x,
                                  retain_graph=True)  # fmt: skip
    touched = grad[0].abs().sum(0) > 1e-13 * grad.abs().max()
    return [set(touched.any(1 - axis).nonzero().flatten().tolist()) for axis in (0, 1)]


def _check(names: list[str]) -> str:
    """Holds the field of a program against gradients; its status."""
    module = Program(names).double()
    draw = torch.Generator().manual_seed(3)
    x = torch.rand(1, *SIZE, generator=draw, dtype=torch.float64).requires_grad_()
    try:
        y = module(x)
    except RuntimeError:
        return "impossible"
    if y.dim() != 4 or min(y.shape[2:]) < 3:
        return "impossible"
    plan = nw.plan(module, SIZE)
    assert nw.plan(module, x.detach(), values=True).rows == plan.rows, names
    assert plan.output == y.shape[1:], names
    field = plan.field
    if field is None or field.status == "unknown":
        return "unknown"
    smooth = not {*names} & {*PICKING}
    middle = [n // 2 for n in y.shape[2:]]
    units = [(middle[0], middle[1]), (middle[0] - 1, middle[1] + 1)]
    if not {*names} & {*WRAPPING}:
        units.append((1, y.shape[3] - 2))
    for unit in units:
        _hold(plan, field, unit, _support(x, y, unit), smooth, names)
    return field.status


def _hold(plan, field, unit, found, smooth, names):
    if field.whole:
        if smooth and len(names) == 2:
            everything = [set(range(n)) for n in plan.input[1:]]
            assert found == everything, (names, unit)
        return
    inside = smooth and not field.apart and is_inside(plan, field, unit)
    for seen, planned in zip(found, planned_sets(field, unit), strict=True):
        hull = set(range(min(planned), max(planned) + 1)) if planned else set()
        assert seen <= (hull if field.uneven else planned), (names, unit)
        if inside and planned:
            box = (min(planned), max(planned))
            assert (min(seen), max(seen)) == box, (names, unit)
            assert field.uneven or seen == planned, (names, unit)


@pytest.mark.parametrize("name", [*SMOOTH, *PICKING])
def test_a_single_step(name):
    assert _check(["conv", name]) != "impossible"


@pytest.mark.parametrize("part", range(6))
def test_programs(part):
    seen = [_check(_drawn(100 * part + i)) for i in range(25)]
    assert seen.count("impossible") < 10
    assert seen.count("exact") + seen.count("hull") > 5
