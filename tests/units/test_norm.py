"""Normalisation against PyTorch's functionals and against formulas in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

import netwright as nw
from netwright import layers
from netwright.core.net import Net
from peers import library

SHAPE = (6, 5, 4)
EPS = 1e-5


def batch(n: int = 4, shape: tuple[int, ...] = SHAPE, seed: int = 0) -> Tensor:
    draw = torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))
    return (draw * 2 + 1).double()


def built(unit: nw.Unit, shape: tuple[int, ...] = SHAPE) -> nn.Module:
    torch.manual_seed(0)
    module = unit.module(shape).double().train()
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    return module


def normalised(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + EPS)


def in_groups(x: np.ndarray, groups: int) -> np.ndarray:
    cut = x.reshape(len(x), groups, -1, *x.shape[2:])
    return normalised(cut, tuple(range(2, cut.ndim))).reshape(x.shape)


FORMULAS = {
    nw.BatchNorm(): lambda x: normalised(x, (0, 2, 3)),
    nw.LayerNorm(): lambda x: normalised(x, (1, 2, 3)),
    nw.InstanceNorm(): lambda x: normalised(x, (2, 3)),
    nw.ChannelLayerNorm(): lambda x: normalised(x, (1,)),
    nw.GroupNorm(groups=1): lambda x: in_groups(x, 1),
    nw.GroupNorm(groups=3): lambda x: in_groups(x, 3),
    nw.GroupNorm(groups=6): lambda x: in_groups(x, 6),
    nw.GhostBatchNorm(size=2): lambda x: np.concatenate(
        [normalised(x[:2], (0, 2, 3)), normalised(x[2:], (0, 2, 3))]),
}  # fmt: skip


@pytest.mark.parametrize("unit", FORMULAS, ids=repr)
def test_is_its_formula_with_a_gamma_and_beta_a_channel(unit: nw.Norm) -> None:
    module, x = built(unit), batch()
    gamma, beta = (p.detach().numpy()[:, None, None] for p in (module.weight, module.bias))
    wanted = FORMULAS[unit](x.numpy()) * gamma + beta
    np.testing.assert_allclose(module(x).detach().numpy(), wanted, rtol=1e-9, atol=1e-9)


PEERS = {
    nw.BatchNorm(): lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
    nw.LayerNorm(): lambda x, w, b: F.layer_norm(x, x.shape[1:]) * w[:, None, None]
    + b[:, None, None],
    nw.InstanceNorm(): lambda x, w, b: F.instance_norm(x, weight=w, bias=b),
    nw.GroupNorm(groups=3): lambda x, w, b: F.group_norm(x, 3, w, b),
    nw.ChannelLayerNorm(): lambda x, w, b: F.layer_norm(x.movedim(1, -1), (6,), w, b).movedim(
        -1, 1),
}  # fmt: skip


@pytest.mark.parametrize("unit", PEERS, ids=repr)
def test_is_what_pytorch_computes(unit: nw.Norm) -> None:
    module, x = built(unit), batch()
    torch.testing.assert_close(module(x), PEERS[unit](x, module.weight, module.bias))


SHARED = {
    nw.BatchNorm(): "every image, its own channel, every position",
    nw.LayerNorm(): "its own image, every channel, every position",
    nw.InstanceNorm(): "its own image, its own channel, every position",
    nw.GroupNorm(groups=3): "its own image, its own group, every position",
    nw.ChannelLayerNorm(): "its own image, every channel, its own position",
    nw.GhostBatchNorm(size=2): "its own ghost, its own channel, every position",
    nw.SwitchableNorm(): "all of these",
}


@pytest.mark.parametrize("unit", SHARED, ids=repr)
def test_who_shares_statistics(unit: nw.Norm) -> None:
    """The outputs that move with one element are those that share its mean and variance."""
    module, x = built(unit), batch()
    moved = x.clone()
    moved[1, 3, 2, 1] += 1
    changed = (module(moved) != module(x)).numpy()
    wanted = np.zeros_like(changed)
    if isinstance(unit, nw.SwitchableNorm):
        wanted[1] = wanted[:, 3] = True
    else:
        images, channels, positions = SHARED[unit].split(", ")
        n = {"every image": slice(None), "its own image": 1, "its own ghost": slice(2)}[images]
        c = {"every channel": slice(None), "its own channel": 3, "its own group": slice(2, 4)}
        at = (slice(None),) * 2 if positions == "every position" else (2, 1)
        wanted[(n, c[channels], *at)] = True
    np.testing.assert_array_equal(changed, wanted)


def test_local_response_across_channels() -> None:
    x = batch()
    for size in (1, 2, 3, 5):
        wanted = F.local_response_norm(x, size, 0.5, 0.75, 2.0)
        torch.testing.assert_close(nw.LocalResponseNorm(size, 0.5).module(SHAPE)(x), wanted)
    wanted = x.clone()
    for c in range(6):
        near = x[:, max(0, c - 2) : c + 3]  # n = 5
        wanted[:, c] = x[:, c] / (2 + 0.5 / 5 * near.square().sum(1)) ** 0.75
    torch.testing.assert_close(nw.LocalResponseNorm(5, 0.5).module(SHAPE)(x), wanted)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_local_response_within_a_channel(size: int) -> None:
    x = batch().numpy()
    wanted = np.empty_like(x)
    before, after = size // 2, (size - 1) // 2
    for i, j in np.ndindex(5, 4):
        rows, columns = (slice(max(0, k - before), k + after + 1) for k in (i, j))
        mean = (x[:, :, rows, columns] ** 2).sum((2, 3)) / size**2
        wanted[:, :, i, j] = x[:, :, i, j] / (2 + 0.5 * mean) ** 0.75
    module = nw.SpatialResponseNorm(size, 0.5, 0.75, 2).module(SHAPE)
    np.testing.assert_allclose(module(torch.from_numpy(x)).numpy(), wanted, rtol=1e-12)


def test_convnext_norm_is_local_and_layer_norm_is_not() -> None:
    local = Net(nw.Sequential(nw.Conv(8), nw.ChannelLayerNorm()), (3, 9, 9)).plan()
    whole = Net(nw.Sequential(nw.Conv(8), nw.LayerNorm()), (3, 9, 9)).plan()
    assert local.field.size == (3, 3)
    assert (local.field.status, whole.field.status) == ("exact", "global")
    x = batch(2, (5, 4, 3)).float()
    peer = library("timm").layers.LayerNorm2d(5, eps=EPS)
    torch.testing.assert_close(nw.ChannelLayerNorm().module((5, 4, 3))(x), peer(x))


# -- switchable


@pytest.mark.parametrize(
    ("place", "unit"), [(0, nw.InstanceNorm()), (1, nw.LayerNorm()), (2, nw.BatchNorm())]
)
@pytest.mark.parametrize("training", [True, False])
def test_switchable_contains_instance_layer_and_batch(place: int, unit: nw.Norm, training) -> None:
    mixed, pure, x = built(nw.SwitchableNorm()), built(unit), batch()
    pure.load_state_dict({"weight": mixed.weight, "bias": mixed.bias}, strict=False)
    for mix in (mixed.mean_mix, mixed.var_mix):
        nn.init.constant_(mix, -200.0)
        mix.data[place] = 200.0
    for seed in range(3):  # moves the running averages
        mixed(batch(seed=seed)), pure(batch(seed=seed))
    mixed.train(training), pure.train(training)
    torch.testing.assert_close(mixed(x), pure(x))


def test_switchable_is_its_formula() -> None:
    x = batch().numpy()
    module = built(nw.SwitchableNorm(affine=False))
    u, v = (np.exp(p.detach().numpy()) for p in (module.mean_mix, module.var_mix))
    u, v = u / u.sum(), v / v.sum()
    axes = ((2, 3), (1, 2, 3), (0, 2, 3))
    mean = sum(w * x.mean(a, keepdims=True) for w, a in zip(u, axes, strict=True))
    var = sum(w * x.var(a, keepdims=True) for w, a in zip(v, axes, strict=True))
    wanted = (x - mean) / np.sqrt(var + EPS)
    got = module(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)


def test_switchable_in_half_precision_takes_its_statistics_in_float() -> None:
    module = built(nw.SwitchableNorm()).float().eval()
    x = batch().float() + 30  # a variance of means in bfloat16 would be far off
    y = module(x.bfloat16())
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), module(x.bfloat16().float()), rtol=1e-2, atol=1e-2)


# -- ghosts


def test_ghosts_are_batch_norms_of_the_parts() -> None:
    ghost, plain, x = built(nw.GhostBatchNorm(size=3)), built(nw.BatchNorm()), batch(8)
    parts = x.tensor_split(3)
    assert [len(part) for part in parts] == [3, 3, 2]
    torch.testing.assert_close(ghost(x), torch.cat([plain(part) for part in parts]))
    # running averages took part after part: (1 - m)^G old + sum (1 - m)^(G - i) m part_i
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(ghost.state_dict()[key], value)
    means = torch.stack([part.mean((0, 2, 3)) for part in parts])
    weights = 0.1 * 0.9 ** torch.tensor([[2.0], [1.0], [0.0]], dtype=torch.float64)
    torch.testing.assert_close(ghost.running_mean, (weights * means).sum(0))
    torch.testing.assert_close(ghost.eval()(x), plain.eval()(x))


def test_one_ghost_is_batch_norm() -> None:
    x = batch(4)
    torch.testing.assert_close(built(nw.GhostBatchNorm())(x), built(nw.BatchNorm())(x))


@pytest.mark.parametrize("shape", [(6,), (6, 5), (6, 3, 2, 4)])
def test_ghosts_of_every_rank(shape: tuple[int, ...]) -> None:
    x = batch(6, shape)
    ghost, plain = built(nw.GhostBatchNorm(size=3), shape), built(nw.BatchNorm(), shape)
    torch.testing.assert_close(ghost(x), torch.cat([plain(x[:3]), plain(x[3:])]))


@pytest.mark.parametrize("shape", [(6,), (6, 1, 1)])
def test_no_ghost_is_a_single_value(shape: tuple[int, ...]) -> None:
    x = batch(3, shape)
    ghost, plain = built(nw.GhostBatchNorm(size=2), shape), built(nw.BatchNorm(), shape)
    torch.testing.assert_close(ghost(x), plain(x))
    ghost, x = built(nw.GhostBatchNorm(size=2), shape), batch(5, shape)
    torch.testing.assert_close(ghost(x), torch.cat([plain(x[:3]), plain(x[3:])]))


# -- weights


def test_weight_norm_of_a_zero_kernel_is_zero() -> None:
    layer, x = built(nw.WeightNorm(nw.Conv(4, bias=False))), batch(2)
    with torch.no_grad():
        layer.body.weight[1] = 0
    y = layer(x)
    y.square().sum().backward()
    assert (y[:, 1] == 0).all()
    assert y[:, 0].abs().max() > 0
    assert all(p.grad.isfinite().all() for p in layer.parameters())


@pytest.mark.parametrize("unit", [nw.Conv(4, 3, groups=2), nw.Linear(4)], ids=repr)
def test_weight_norm_is_pytorchs(unit: nw.Unit) -> None:
    shape = (12,) if isinstance(unit, nw.Linear) else SHAPE
    ours, x = built(nw.WeightNorm(unit), shape), batch(3, shape)
    peer = parametrizations.weight_norm(unit.module(shape).double())
    peer.bias.data.copy_(ours.body.bias)
    peer.parametrizations.weight.original0.data.copy_(
        ours.gain.view_as(peer.parametrizations.weight.original0)
    )
    peer.parametrizations.weight.original1.data.copy_(ours.body.weight)
    y, wanted = ours(x), peer(x)
    torch.testing.assert_close(y, wanted)
    y.square().sum().backward(), wanted.square().sum().backward()
    gain, v = (getattr(peer.parametrizations.weight, f"original{i}").grad for i in (0, 1))
    torch.testing.assert_close(ours.gain.grad, gain.flatten())
    torch.testing.assert_close(ours.body.weight.grad, v)


def test_weight_norm_starts_where_its_weights_do() -> None:
    net = Net(nw.Sequential(conv=nw.WeightNorm(nw.Conv(8)), act=nw.ReLU()), SHAPE)
    plain = Net(nw.Sequential(conv=nw.Conv(8), act=nw.ReLU()), SHAPE)
    for init in ("he", "xavier", "torch"):
        layer = net.build(seed=0, init=init).conv
        torch.testing.assert_close(layer.reweighted(), layer.body.weight)
        model = plain.build(seed=0, init=init)
        torch.testing.assert_close(layer.body.weight, model.conv.weight)


@pytest.mark.parametrize("gain", [False, True])
def test_weight_standardisation_is_timms(gain: bool) -> None:
    x = batch(2).float()
    unit = nw.WeightStandardisation(nw.Conv(4, 3, groups=2), gain=gain, eps=1e-6)
    ours = built(unit).float()
    timm = library("timm").layers
    kind = timm.ScaledStdConv2d if gain else timm.StdConv2d
    peer = kind(6, 4, 3, padding=1, groups=2, bias=True, eps=1e-6)
    state = {"weight": ours.body.weight, "bias": ours.body.bias}
    if gain:
        state["gain"] = ours.gain.view(-1, 1, 1, 1)
    peer.load_state_dict(state)
    torch.testing.assert_close(ours(x), peer(x), rtol=1e-4, atol=1e-5)


def test_weight_standardisation_is_its_formula() -> None:
    layer = built(nw.WeightStandardisation(nw.Conv(4, 3, groups=2)))
    v = layer.body.weight.detach().numpy()
    np.testing.assert_allclose(layer.reweighted().detach().numpy(), normalised(v, (1, 2, 3)))
    layer = built(nw.WeightStandardisation(nw.Conv(4, 3, groups=2), gain=True))
    v, gain = (p.detach().numpy() for p in (layer.body.weight, layer.gain))
    wanted = normalised(v, (1, 2, 3)) / np.sqrt(27) * gain[:, None, None, None]
    np.testing.assert_allclose(layer.reweighted().detach().numpy(), wanted)


def test_reweighted_layers_take_any_padding_and_compile_in_training() -> None:
    unit = nw.WeightStandardisation(nw.Conv(4, (3, 2), padding=((0, 2), 1)))
    module, x = built(unit), batch()
    wanted = F.conv2d(F.pad(x, (1, 1, 0, 2)), module.reweighted(), module.body.bias)
    torch.testing.assert_close(module(x), wanted)
    for kind in (nw.WeightNorm, nw.WeightStandardisation):
        module = built(kind(nw.Conv(4)))
        compiled = torch.compile(module, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(x), module(x))


def test_scales_of_standardised_kernels_do_not_matter() -> None:
    layer, x = layers.WeightStandardisation(nn.Conv2d(6, 4, 3)).double(), batch()
    y = layer(x)
    with torch.no_grad():
        layer.body.weight.mul_(100).add_(7)
    torch.testing.assert_close(layer(x), y, rtol=1e-2, atol=1e-2)
