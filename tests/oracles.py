"""What a plan is held against: the built module, executed and differentiated."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from netwright.core.classifier import classifiers
from netwright.core.codec import decode, encode
from netwright.core.field import Field
from netwright.core.net import Net
from netwright.core.plan import Plan
from netwright.core.spec import Spec
from netwright.errors import NetwrightError
from netwright.layers import Add, ChannelLayerNorm, Mul
from netwright.units.conv_lstm import ConvLSTM
from netwright.units.recurrent import Recurrent


def executed_shapes(model: nn.Module, *xs: Tensor) -> dict[str, list[tuple[int, ...]]]:
    """Output shapes of every module, by path, batch left out, from one forward pass; several
    where a shared module runs several times."""
    seen: dict[str, list[tuple[int, ...]]] = {}

    def note(path: str):
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                seen.setdefault(path, []).append(tuple(output.shape[1:]))

        return hook

    modules = model.named_modules(remove_duplicate=False)
    handles = [module.register_forward_hook(note(path)) for path, module in modules]
    try:
        with torch.no_grad():
            model(*xs)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def counted_macs(model: nn.Module, *xs: Tensor) -> int:
    """What torch's own counter says, halved."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(*xs)
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2


class _Alive(TorchDispatchMode):
    """Adds up the storages that are alive, from what every operator gives until it is freed."""

    def __init__(self, *others: Tensor) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._counted = {tensor.untyped_storage()._cdata for tensor in others}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return out

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata in self._counted:
            return
        size = storage.nbytes()
        self._counted.add(storage._cdata)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._free, storage._cdata, size)

    def _free(self, key: int, size: int) -> None:
        self._counted.discard(key)
        self.now -= size


def most_alive(model: nn.Module, x: Tensor) -> int:
    """Most bytes of tensors alive at once in inference, the input's with them, parameters and
    buffers left out."""
    with torch.no_grad(), _Alive(x, *model.parameters(), *model.buffers()) as alive:
        model.eval()(x)
    return alive.peak + x.nbytes


def assert_plan_is_true(net: Net, macs: bool = True) -> None:
    """Planned shapes, parameters, buffers and MACs are those of the built module."""
    plan = net.plan()
    model = net.build(device="meta", init="torch").eval()
    x = torch.empty(2, *net.input, device="meta")
    shapes = executed_shapes(model, x)
    for row in plan.rows:
        assert row.auxiliary or row.output in shapes[row.path], row.path
    assert plan.params == sum(p.numel() for p in model.parameters())
    assert plan.buffers == sum(b.numel() for b in model.buffers())
    if macs:
        assert plan.macs == counted_macs(model, x[:1])


def assert_twice_as_wide(net: Net, wide: Net) -> None:
    """Every product inside gives twice as many channels, give or take the rounding of a share
    (a mask's one map stays); what the net gives stays; groups stay, unless one a channel."""
    stays = classifiers(net)
    after = {row.path: row for row in wide.plan()}
    for row in [row for row in net.plan() if row.macs]:
        axis = 0
        if isinstance(row.unit, Recurrent | ConvLSTM):  # time may come first
            axis = len(row.output) - (1 if isinstance(row.unit, Recurrent) else 3)
        was, now = row.output[axis], after[row.path].output[axis]
        if row.path in stays:
            assert now == was, row.path
        else:
            rounding = 8 if row.path.endswith("squeeze") else 1
            assert abs(now - 2 * was) <= rounding, row.path
        groups, many = getattr(row.unit, "groups", 1), getattr(after[row.path].unit, "groups", 1)
        each = groups == row.input[0] and many == after[row.path].input[0]
        assert each or many in {groups, 2 * groups}, row.path


def kept_storages(model: nn.Module, *xs: Tensor) -> tuple[dict[int, int], Tensor]:
    """What autograd keeps of one training step, parameters and buffers left out: bytes by the
    address of their storage; and the output, by which they all stay alive."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = model.train()(*xs)
    return kept, out


def assert_numbers_are_canonical(spec: Spec) -> None:
    """Fields given equal numbers of another type are refused, or make the same text."""
    for name in spec.field_names:
        for value in _alike(getattr(spec, name)):
            try:
                other = decode({**encode(spec), name: value})
            except NetwrightError:
                continue
            assert (other, hash(other)) == (spec, hash(spec))
            assert (repr(other), str(encode(other))) == (repr(spec), str(encode(spec))), name


def _alike(value: Any) -> Iterator[Any]:
    """Values that Python calls equal, of other types."""
    if isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from ([*value[:i], other, *value[i + 1 :]] for other in _alike(item))
    elif isinstance(value, int | float):
        kinds = [kind for kind in (bool, int, float) if kind(value) == value]
        yield from (kind(value) for kind in kinds if kind is not type(value))
        if value == 0:
            yield -0.0


class _Mean(nn.Module):
    """Average pooling in the place of max pooling: every position of the window counts."""

    def __init__(self, pool: nn.Module, rank: int) -> None:
        super().__init__()
        kind = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[rank - 1]
        self.pool = kind(pool.kernel_size, pool.stride, pool.padding, ceil_mode=pool.ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x)


_POINTWISE = (
    nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.Tanh, nn.Hardswish, nn.SiLU, nn.Hardsigmoid, nn.GELU,
    nn.LeakyReLU, nn.ELU, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LocalResponseNorm,
    nn.PReLU, ChannelLayerNorm,
)  # fmt: skip


def surrogate(model: nn.Module) -> nn.Module:
    """The model with positive weights, means for maxima and no bends, in float64: its
    gradient is not zero exactly where there is a path."""
    model = model.double().eval()
    for path, module in list(model.named_modules(remove_duplicate=False)):
        parent, _, name = path.rpartition(".")
        new = module
        if isinstance(module, _POINTWISE):
            new = nn.Identity()
        elif isinstance(module, nn.MaxPool1d | nn.MaxPool2d | nn.MaxPool3d):
            new = _Mean(module, int(type(module).__name__[-2]))
        elif isinstance(module, Mul):
            new = Add()
        elif isinstance(getattr(module, "weight", None), nn.Parameter):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
        elif getattr(module, "weight", None) is not None:
            module.weight.abs_()  # fixed: where it is zero, nothing is seen
        if new is not module:
            if not path:
                return new
            setattr(model.get_submodule(parent), name, new)
    return model


def seen_by(
    model: nn.Module, path: str, shape: Sequence[int], unit: Sequence[int]
) -> list[set[int]]:
    """Input positions, an axis, that the unit at index `unit` of the map at `path` depends on."""
    made: list[Tensor] = []
    module = model.get_submodule(path)
    handle = module.register_forward_hook(lambda m, i, output: made.append(output))
    x = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    try:
        model(x)
    finally:
        handle.remove()
    made[-1][(0, slice(None), *unit)].sum().backward()
    touched = x.grad[0].abs().sum(0) > 0
    return [
        set(torch.nonzero(touched.movedim(axis, 0).flatten(1).any(1)).flatten().tolist())
        for axis in range(touched.dim())
    ] if touched.dim() > 1 else [set(torch.nonzero(touched).flatten().tolist())]  # fmt: skip


def planned_sets(field: Field, unit: Sequence[int]) -> list[set[int]]:
    """Input positions, an axis, that the plan says the unit sees; padding included."""
    assert field.axes is not None
    sets: list[set[int]] = []
    for axis, index in zip(field.axes, unit, strict=True):
        first, mask = axis.seen(index)
        sets.append({first + i for i in range(mask.bit_length()) if mask >> i & 1})
    return sets


def is_inside(plan: Plan, field: Field, unit: Sequence[int]) -> bool:
    """Whether the unit is so far from the border that no map on the way was cut short there."""
    strides = [axis.stride for row in plan.rows for axis in row.field.axes or ()]
    margin = 2 * max(strides, default=1) + 1
    sets = planned_sets(field, unit)
    return all(
        not s or (min(s) >= margin and max(s) < size - margin)
        for s, size in zip(sets, plan.input[1:], strict=True)
    )


def assert_field_is_true(plan: Plan, model: nn.Module, path: str, unit: Sequence[int]) -> None:
    """The planned set of positions, clipped to the input, is the support of the gradient.

    `model` is a `surrogate`. Of a hull only the first and the last position are compared.
    """
    field = plan.row(path).field
    seen = seen_by(model, path, plan.input, unit)
    sets = planned_sets(field, unit)
    for planned, found, size in zip(sets, seen, plan.input[1:], strict=True):
        clipped = {i for i in planned if 0 <= i < size}
        if not all(sets):  # between the taps of a transposed convolution
            assert not found, path
        elif field.uneven:
            assert (min(found), max(found)) == (min(clipped), max(clipped)), path
        else:
            assert found == clipped, path
