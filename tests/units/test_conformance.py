"""One kit for every unit, found by itself: a unit that lacks one of these fails."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from kit import MISFITS, SAMPLES, WRONG, Sample
from torch import Tensor, nn

import netwright as nw
from netwright.core.codec import decode, encode
from netwright.core.field import UNKNOWN, Taps
from netwright.core.net import Net
from netwright.core.operation import Kind
from netwright.core.shape import Shape
from netwright.core.spec import SPECS, Unit
from netwright.errors import ShapeError, SpecError
from netwright.units.pool import LocalPool
from netwright.units.weight_norm import Reweighted
from netwright.units.window import Convolution
from oracles import (
    assert_field_is_true,
    assert_numbers_are_canonical,
    counted_macs,
    kept_storages,
    surrogate,
)

CASES = [pytest.param(sample, id=str(sample)) for some in SAMPLES.values() for sample in some]
each = pytest.mark.parametrize("sample", CASES)
NAMES = {**vars(nw.core), **{name: getattr(nw, name) for name in nw.units()}}
UNRULED = {
    "DeformableConv", "DotAttention", "GRU", "GhostBatchNorm", "LSTM", "LpPool", "RNN", "RoIAlign",
    "RoIPool",
}  # fmt: skip
"""Units of which nobody says what training keeps: it is the device's own affair, or one of the
values'."""
NO_EMPTY_BATCH = ("InstanceNorm", "PixelUnshuffle")
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*lazy.*:UserWarning"),
    # torch.compile itself instantiates the class of an autograd function
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]


def changed(xs: list[Tensor], change) -> list[Tensor]:
    """The floating inputs changed; boxes and labels are not."""
    return [change(x) if x.is_floating_point() else x for x in xs]


@pytest.mark.parametrize("name", nw.units())
def test_every_unit_is_sampled_and_told(name: str) -> None:
    kind = SPECS[name]
    assert SAMPLES.get(name), f"{name} has no sample; add one to tests/units/samples"
    assert kind.__doc__
    assert kind.__doc__ is not kind.__mro__[1].__doc__
    if kind.field_names:
        assert WRONG.get(name), f"{name} has fields and no wrong value of one in samples"
    assert getattr(nw, name) is kind


@pytest.mark.parametrize("name", nw.units())
def test_every_unit_says_its_kind(name: str) -> None:
    kind = SPECS[name]
    mine = [base for base in kind.__mro__ if base is not Unit and "kind" in vars(base)]
    assert mine, f"{name} has no kind; set one of {', '.join(Kind.__members__)}"
    for sample in SAMPLES[name]:
        assert isinstance(sample.unit.kind, Kind)


def _covers(slid: Taps, seen: Taps) -> bool:
    """Whether a window holds all that an output sees, at the same pace."""
    if slid.down != seen.down or len(slid.reach) != len(seen.reach):
        return False
    pairs = zip(slid.reach, seen.reach, strict=True)
    ends = [(a, a + slid.step * (n - 1), b, b + seen.step * (m - 1)) for (a, n), (b, m) in pairs]
    return all(low <= first and last <= high for low, high, first, last in ends)


@each
def test_the_window_that_tables_show_is_the_one_it_sees(sample: Sample) -> None:
    unit, x = sample.unit, sample.shapes[0]
    slides = unit.sliding(x)
    assert (slides is not None) or not isinstance(unit, LocalPool | Convolution)
    if slides is None or unit.joins or unit.kind is Kind.RECURRENT:  # sees the steps before, too
        return
    window = unit.window(x)
    assert len(window) == len(slides.kernel)
    if isinstance(unit, nw.TransposedConv):
        total = [sum(count for _, count in taps.reach) for taps in window]
        assert tuple(total) == slides.kernel  # every tap at one of the phases
        return
    weighted = isinstance(unit, nw.FilterBank | nw.WeightedPool)  # whose weights may be zero
    for slid, seen in zip(slides.taps, window, strict=True):
        assert _covers(slid, seen) if weighted else slid == seen


@each
def test_groups_of_a_window_are_those_of_its_weights(sample: Sample) -> None:
    x, slides = sample.shapes[0], sample.unit.sliding(sample.shapes[0])
    if slides is None or sample.unit.kind is not Kind.CONVOLUTION:
        return
    weights = [p for p in sample.module().state_dict().values() if p.dim() == len(x) + 1]
    if not isinstance(sample.unit, nw.TransposedConv):
        assert any(w.shape[1] * slides.groups == x[0] for w in weights)


@pytest.mark.parametrize(
    "sample", [case for case in CASES if isinstance(case.values[0].unit, Reweighted)]
)
def test_a_reweighted_unit_answers_as_the_unit_it_holds(sample: Sample) -> None:
    unit, inner, xs = sample.unit, sample.unit.of, sample.shapes
    y = inner.shape(*xs)
    assert (unit.kind, unit.biased) == (inner.kind, inner.biased)
    assert unit.sliding(*xs) == inner.sliding(*xs)
    assert (unit.window(*xs), unit.shape(*xs)) == (inner.window(*xs), y)
    assert unit.cost(*xs, y=y).macs == inner.cost(*xs, y=y).macs


@each
def test_a_unit_with_a_bias_says_so(sample: Sample) -> None:
    names = {name.rpartition(".")[2] for name, _ in sample.module().named_parameters()}
    if sample.unit.kind in (Kind.CONVOLUTION, Kind.LOCAL, Kind.DENSE):
        assert sample.unit.biased == ("bias" in names)


@each
def test_planned_shape_is_executed_shape(sample: Sample) -> None:
    planned = sample.unit.shape(*sample.shapes)
    assert tuple(sample.module()(*sample.tensors()).shape[1:]) == planned


@each
def test_works_on_one_image(sample: Sample) -> None:
    module, xs = sample.module(), sample.tensors()
    torch.testing.assert_close(module(*[x[:1] for x in xs]), module(*xs)[:1])


@each
def test_works_on_no_image(sample: Sample) -> None:
    if type(sample.unit).__name__ in NO_EMPTY_BATCH:
        pytest.skip("PyTorch's own layer does not")
    module, xs = sample.module(), [x[:0] for x in sample.tensors()]
    planned = sample.unit.shape(*sample.shapes)
    assert module(*xs).shape == (0, *planned)
    assert module.train()(*xs).shape == (0, *planned)


@each
def test_odd_shapes_are_executed_as_planned_or_refused(sample: Sample) -> None:
    if sample.inputs is not None:
        pytest.skip("takes more than maps")
    draw = random.Random(repr(sample.unit) + str(sample.shapes))
    for _ in range(6):
        rank = len(sample.shapes[0]) if draw.random() < 0.7 else draw.randint(1, 4)
        sizes = [draw.choice((1, 1, 2, 2, 3, 4, 5, 8, 11)) for _ in range(rank - 1)]
        shapes = [(sample.shapes[0][0], *sizes)] * len(sample.shapes)
        unit = sample.unit
        if isinstance(unit, LocalPool | Convolution) and draw.random() < 0.5:
            unit = _varied(unit, draw)
        try:
            planned = unit.shape(*shapes)
        except ShapeError:
            continue
        unit.cost(*shapes, y=planned)
        unit.kept(*shapes, y=planned)
        unit.window(shapes[0])
        module = unit.module(*shapes).eval()
        for batch in (2, 1):
            y = module(*[torch.rand(batch, *shape) for shape in shapes])
            assert tuple(y.shape[1:]) == planned, (unit, shapes)


def _varied(unit: Unit, draw: random.Random) -> Unit:
    """The unit with another window, where there is one with it."""
    fields = {"kernel": (1, 2, 3, 4), "stride": (1, 2, 3), "ceil": (True, False),
              "padding": ("same", "full", 0, 1)}  # fmt: skip
    known = {name: draw.choice(some) for name, some in fields.items() if name in unit.field_names}
    try:
        return replace(unit, **known)
    except SpecError:
        return unit


@each
def test_counts(sample: Sample) -> None:
    module, xs = sample.module(), sample.tensors(1)
    cost = sample.unit.cost(*sample.shapes, y=sample.unit.shape(*sample.shapes))
    assert cost.params == sum(p.numel() for p in module.parameters())
    assert cost.buffers == sum(b.numel() for b in module.buffers())
    assert cost.macs == (counted_macs(module, *xs) if sample.macs is None else sample.macs)
    assert cost.ops >= 0


@each
def test_keeps_for_the_gradient_what_it_says(sample: Sample) -> None:
    if sample.unit.kept(*sample.shapes, y=sample.unit.shape(*sample.shapes)) is None:
        assert type(sample.unit).__name__ in UNRULED
        pytest.skip("has no rule")
    xs = changed(sample.tensors(3), lambda x: x.requires_grad_())
    assert_keeps(sample.unit, sample.shapes, sample.module(), xs)


def assert_keeps(
    unit: Unit, shapes: tuple[Shape, ...], module: nn.Module, xs: list[Tensor]
) -> None:
    """Of three images autograd keeps what the unit's rule says, each storage once."""
    rule = unit.kept(*shapes, y=unit.shape(*shapes))
    kept, out = kept_storages(module, *xs)
    inputs = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in xs}
    at = out.untyped_storage().data_ptr()
    assert rule is not None
    assert rule.view == (at in inputs)
    assert rule.input == all(x in kept for x in inputs)
    assert rule.output == (at in kept and at not in inputs)
    own = [size for where, size in kept.items() if where not in inputs and where != at]
    assert sum(own) == rule.own(4, 3), (unit, shapes)


@each
def test_keeps_what_it_says_with_other_windows(sample: Sample) -> None:
    unit = sample.unit
    if not isinstance(unit, LocalPool | Convolution) or type(unit).__name__ in UNRULED:
        return
    draw = random.Random(repr(unit) + str(sample.shapes))
    for _ in range(4):
        shape = (sample.shapes[0][0], *[draw.choice((1, 2, 3, 5, 8)) for _ in sample.shapes[0][1:]])
        other = _varied(unit, draw)
        try:
            if other.kept(shape, y=other.shape(shape)) is None:
                continue
        except ShapeError:
            continue
        xs = [torch.rand(3, *shape, requires_grad=True)]
        assert_keeps(other, (shape,), other.module(shape), xs)


@each
def test_hands_on_its_input_where_it_says_so(sample: Sample) -> None:
    xs = sample.tensors()
    rule = sample.unit.kept(*sample.shapes, y=sample.unit.shape(*sample.shapes))
    with torch.no_grad():
        at = sample.module()(*xs).untyped_storage().data_ptr()
    is_view = sample.unit.idle or (rule is not None and rule.view)
    assert is_view == (at in {x.untyped_storage().data_ptr() for x in xs})


@each
def test_field_is_gradient_support(sample: Sample) -> None:
    unit, shapes = sample.unit, sample.shapes
    if unit.joins or len(shapes[0]) < 2:
        pytest.skip("has no window")
    if sample.support:
        pytest.skip(f"not of this unit: {sample.support}")
    plan = Net(unit, shapes[0]).plan()
    field = plan.rows[0].field
    if unit.sees_all or field.axes is None:
        lost = unit.window(shapes[0]) == UNKNOWN  # local, without an axis to say it by
        assert field.status == ("unknown" if lost else "global")
        return
    model = (sample.surrogate or surrogate)(unit.module(*shapes)).double()
    y = plan.output[-len(field.axes) :]
    for index in ([n // 2 for n in y], [max(n // 2 - 1, 0) for n in y], [n - 1 for n in y]):
        assert_field_is_true(plan, model, "", index)


@each
def test_is_a_value(sample: Sample) -> None:
    unit = sample.unit
    assert eval(repr(unit), dict(NAMES)) == unit
    assert decode(encode(unit)) == unit
    copy = pickle.loads(pickle.dumps(unit))
    assert copy == unit
    assert hash(copy) == hash(unit)
    with pytest.raises(AttributeError):
        unit.anything = 1
    assert_numbers_are_canonical(unit)


@each
def test_module_pickles(sample: Sample) -> None:
    module, xs = sample.module(), sample.tensors()
    torch.testing.assert_close(pickle.loads(pickle.dumps(module))(*xs), module(*xs))


@each
def test_gradients_flow_and_are_right(sample: Sample) -> None:
    module = sample.module().double()
    xs = changed(sample.tensors(), lambda x: (x + 0.5).double().requires_grad_())
    module(*xs).square().sum().backward()
    for x in xs:
        if x.is_floating_point():
            assert x.grad is not None
            assert torch.isfinite(x.grad).all()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
    if sample.smooth:
        torch.manual_seed(2)
        direction = [torch.randn_like(x) if x.is_floating_point() else None for x in xs]
        _check_directional_derivative(module, xs, direction)


def _check_directional_derivative(module, xs, direction) -> None:
    """The gradient against a central difference along one random direction, in float64."""
    step = 1e-6
    moved = [
        [
            x if d is None else (x + sign * step * d).detach()
            for x, d in zip(xs, direction, strict=True)
        ]
        for sign in (1, -1)
    ]
    with torch.no_grad():
        ahead, back = (module(*some).square().sum() for some in moved)
    slope = sum((x.grad * d).sum() for x, d in zip(xs, direction, strict=True) if d is not None)
    torch.testing.assert_close((ahead - back) / (2 * step), slope, rtol=1e-4, atol=1e-4)


@each
def test_trains_alike_under_a_seed(sample: Sample) -> None:
    module, xs = sample.module().train(), sample.tensors(4)
    runs: list[Tensor] = []
    for seed in (3, 3, 4, 5):
        torch.manual_seed(seed)
        runs.append(module(*xs))
    torch.testing.assert_close(runs[0], runs[1])
    if sample.random:
        assert any(not torch.equal(runs[0], run) for run in runs[2:])


@each
def test_channels_last_is_the_same(sample: Sample) -> None:
    if len(sample.shapes[0]) != 3:
        pytest.skip("not (C, H, W)")
    module, xs = sample.module(), sample.tensors()
    there = [x.to(memory_format=torch.channels_last) if x.dim() == 4 else x for x in xs]
    wanted = module(*xs)
    torch.testing.assert_close(module(*there), wanted, rtol=1e-4, atol=1e-5)
    module.to(memory_format=torch.channels_last)
    torch.testing.assert_close(module(*there), wanted, rtol=1e-4, atol=1e-5)


@each
def test_bfloat16_autocast(sample: Sample) -> None:
    module, xs = sample.module(), sample.tensors()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = module(*xs)
    wanted = module(*xs)
    assert y.shape == wanted.shape
    error = (y.float() - wanted).norm() / wanted.norm().clamp(min=1e-3)
    assert error < 0.05


@pytest.mark.slow
@each
def test_compiles_in_one_graph(sample: Sample) -> None:
    if sample.compiles:
        pytest.skip(f"not of this unit: {sample.compiles}")
    torch._dynamo.reset()
    module, xs = sample.module(), sample.tensors()
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(*xs), module(*xs))


@pytest.mark.parametrize(
    ("name", "fields"), [(name, fields) for name, rows in WRONG.items() for fields in rows]
)
def test_wrong_fields_are_refused(name: str, fields: dict) -> None:
    with pytest.raises(SpecError) as caught:
        SPECS[name](**fields)
    message = str(caught.value)
    assert name in message
    assert repr(list(fields.values())[-1]) in message
    assert "wanted" in message or "do not divide" in message


@pytest.mark.parametrize(
    ("name", "shape", "fields"), [(n, shape, f) for n, rows in MISFITS.items() for shape, f in rows]
)
def test_misfits_are_refused_with_their_place(name: str, shape: tuple, fields: dict) -> None:
    net = Net(nw.Sequential(first=nw.Identity(), wrong=SPECS[name](**fields)), shape)
    with pytest.raises(ShapeError, match=r"^at wrong: ") as caught:
        net.plan()
    assert [row.path for row in caught.value.rows] == ["first"]
    told = str(caught.value)
    assert any(str(number) in told for number in (*shape, *fields.values()))


def test_hashes_of_specs_are_not_pickled() -> None:
    code = """
import pickle, sys
import netwright as nw
here, there = nw.Conv(3, padding="full"), pickle.loads(sys.stdin.buffer.read())
print(here == there, hash(here) == hash(there))
"""
    unit = nw.Conv(3, padding="full")
    hash(unit)
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(unit), capture_output=True, check=True
    )
    assert done.stdout.split() == [b"True", b"True"]
