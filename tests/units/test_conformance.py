"""One kit for every unit, found by itself: a unit that lacks one of these fails."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
import torch
from samples import MISFITS, SAMPLES, WRONG

import netwright as nw
from netwright.core.codec import decode, encode
from netwright.core.net import Net
from netwright.core.spec import SPECS
from netwright.errors import ShapeError, SpecError
from oracles import assert_field_is_true, counted_macs, surrogate

CASES = [
    pytest.param(unit, shapes, id=f"{unit!r} at {shapes}")
    for samples in SAMPLES.values()
    for unit, shapes in samples
]
each = pytest.mark.parametrize(("unit", "shapes"), CASES)
NAMES = {**vars(nw.core), **{name: getattr(nw, name) for name in nw.units()}}


def run(unit, shapes):
    torch.manual_seed(0)
    module = unit.module(*shapes).eval()
    xs = [torch.rand(2, *shape) for shape in shapes]
    return module, xs


@pytest.mark.parametrize("name", nw.units())
def test_every_unit_is_sampled_and_told(name):
    kind = SPECS[name]
    assert SAMPLES.get(name), f"{name} has no sample; add one to samples.py"
    assert kind.__doc__
    assert kind.__doc__ is not kind.__mro__[1].__doc__
    if kind.field_names:
        assert WRONG.get(name), f"{name} has fields and no wrong value of one in samples.py"
    assert getattr(nw, name) is kind


@each
def test_planned_shape_is_executed_shape(unit, shapes):
    module, xs = run(unit, shapes)
    assert tuple(module(*xs).shape[1:]) == unit.shape(*shapes)


@each
def test_works_on_one_image(unit, shapes):
    module, xs = run(unit, shapes)
    torch.testing.assert_close(module(*[x[:1] for x in xs]), module(*xs)[:1])


@each
def test_counts(unit, shapes):
    module, xs = run(unit, shapes)
    cost = unit.cost(*shapes, y=unit.shape(*shapes))
    assert cost.params == sum(p.numel() for p in module.parameters())
    assert cost.buffers == sum(b.numel() for b in module.buffers())
    assert cost.macs == counted_macs(module, *[x[:1] for x in xs])
    assert cost.ops >= 0


@each
def test_field_is_gradient_support(unit, shapes):
    if unit.joins or len(shapes[0]) < 2:
        pytest.skip("has no window")
    plan = Net(unit, shapes[0]).plan()
    field = plan.rows[0].field
    if unit.sees_all or field.axes is None:
        assert field.status == "global"
        return
    y = unit.shape(*shapes)
    model = surrogate(unit.module(*shapes))
    for index in ([n // 2 for n in y[1:]], [n // 2 - 1 for n in y[1:]], [n - 1 for n in y[1:]]):
        assert_field_is_true(plan, model, "", index)


@each
def test_is_a_value(unit, shapes):
    assert eval(repr(unit), dict(NAMES)) == unit
    assert decode(encode(unit)) == unit
    copy = pickle.loads(pickle.dumps(unit))
    assert copy == unit
    assert hash(copy) == hash(unit)
    with pytest.raises(AttributeError):
        unit.anything = 1


@each
def test_module_pickles(unit, shapes):
    module, xs = run(unit, shapes)
    torch.testing.assert_close(pickle.loads(pickle.dumps(module))(*xs), module(*xs))


@each
def test_gradients_flow(unit, shapes):
    module, xs = run(unit, shapes)
    xs = [(x + 0.5).double().requires_grad_() for x in xs]
    module.double()(*xs).square().sum().backward()
    for x in xs:
        assert x.grad is not None
        assert torch.isfinite(x.grad).all()
    for parameter in module.parameters():
        assert parameter.grad is not None


@pytest.mark.parametrize(
    ("name", "fields"), [(name, fields) for name, rows in WRONG.items() for fields in rows]
)
def test_wrong_fields_are_refused(name, fields):
    with pytest.raises(SpecError) as caught:
        SPECS[name](**fields)
    message = str(caught.value)
    assert name in message
    assert repr(list(fields.values())[-1]) in message
    assert "wanted" in message or "do not divide" in message


@pytest.mark.parametrize(
    ("name", "shape", "fields"), [(n, shape, f) for n, rows in MISFITS.items() for shape, f in rows]
)
def test_misfits_are_refused_with_their_place(name, shape, fields):
    net = Net(nw.Sequential(first=nw.Identity(), wrong=SPECS[name](**fields)), shape)
    with pytest.raises(ShapeError, match=r"^at wrong: ") as caught:
        net.plan()
    assert [row.path for row in caught.value.rows] == ["first"]
    told = str(caught.value)
    assert any(str(number) in told for number in (*shape, *fields.values()))


def test_hashes_of_specs_are_not_pickled():
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
