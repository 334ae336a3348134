"""Equal specs are one text: numbers as their fields write them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import netwright as nw
from netwright.core.net import Net
from netwright.core.shape import Axes
from netwright.core.spec import Spec, Value
from oracles import assert_numbers_are_canonical

SHAPE = (4, 8, 8)
FLOATS = nw.WeightedPool(weights=(0.25, 0, 1, 2))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (nw.LeakyReLU(1), nw.LeakyReLU(1.0)),
        (nw.Scale(2), nw.Scale(2.0)),
        (nw.Dropout(0), nw.Dropout(0.0)),
        (nw.LeakyReLU(-0.0), nw.LeakyReLU(0)),
        (nw.WeightedPool(weights=[1, 0, 0, 2]), nw.WeightedPool(weights=(1.0, -0.0, 0.0, 2.0))),
        (nw.Conv(3, border=1), nw.Conv(3, border=1.0)),
        (
            nw.Stage(nw.BasicBlock(4), 2, drop=[0, 0.5]),
            nw.Stage(nw.BasicBlock(4), 2, drop=(0.0, 0.5)),
        ),
        (nw.Tap(nw.Conv(3), 1), nw.Tap(nw.Conv(3), 1.0)),
        (nw.PolyModule("p", ([2, 3],)), nw.PolyModule("p", ((2, 3),))),
    ],
    ids=repr,
)
def test_equal_specs_are_one_text_and_one_hash(a: Spec, b: Spec) -> None:
    assert a == b
    assert (hash(a), repr(a)) == (hash(b), repr(b))
    one, other = Net(a, SHAPE), Net(b, SHAPE)
    assert (one.hash, one.to_json()) == (other.hash, other.to_json())
    assert nw.from_json(one.to_json()).hash == one.hash


def test_numbers_are_written_as_their_fields_say() -> None:
    assert [type(weight) for weight in FLOATS.weights] == [float] * 4
    assert repr(nw.LeakyReLU(1)) == "LeakyReLU(slope=1.0)"
    assert repr(replace(nw.Dropout(), rate=0)) == "Dropout(rate=0.0)"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: nw.LeakyReLU(True), "slope is True, wanted a number"),
        (lambda: nw.LeakyReLU(10**400), "slope is 1000.*wanted a number"),
        (lambda: nw.BasicBlock(64.0), r"width is 64\.0, wanted an integer"),
        (lambda: nw.BasicBlock(64, True), "stride is True, wanted an integer"),
        (lambda: nw.Conv(8, (3.0, 3)), r"kernel is \(3\.0, 3\), wanted an integer"),
        (lambda: nw.Conv(8, bias=1), "bias is 1, wanted True or False"),
        (lambda: nw.Tap(nw.Conv(3), True), "weight is True, wanted a number"),
        (lambda: Unchecked(8.0), r"Unchecked: width is 8\.0, wanted an integer"),
        (lambda: Unchecked(8, (1, True)), r"kernels is \(1, True\), wanted an integer"),
        (lambda: Unchecked(8, rate=False), "rate is False, wanted a number"),
        (lambda: Unchecked(8, flag=0), "flag is 0, wanted True or False"),
    ],
)
def test_numbers_of_another_kind_are_refused(make, told: str) -> None:
    with pytest.raises(nw.SpecError, match=told):
        make()


class Unchecked(Value, abstract=True):
    """A spec that checks none of its fields."""

    width: int
    kernels: Axes = 3
    rate: float | None = None
    flag: bool = False


def test_fields_nobody_checks_are_canonical_too() -> None:
    assert repr(Unchecked(8, [1, 3], 1)) == "Unchecked(8, kernels=(1, 3), rate=1.0)"
    for spec in (Unchecked(1, 1, 1, True), Unchecked(1, (2, 1), 0.0), Unchecked(2, rate=None)):
        assert_numbers_are_canonical(spec)


@pytest.mark.parametrize(
    "value",
    [
        nw.CellGenotype(((("identity", 0), ("sep_conv_3x3", 1)),), (0, 2)),
        nw.ErdosRenyi(0.5),
        nw.Sequential(a=nw.Tap(nw.Conv(3), 0.0), b=nw.Shared(nw.Conv(3, 1), "1")),
        nw.Graph(a=nw.ReLU(), b=nw.Node(nw.Add(), "a", "input")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_and_wiring_are_canonical(value: Spec) -> None:
    assert_numbers_are_canonical(value)


class Mixed(Value, abstract=True):
    """Floats beside integers, in tuples and as one of two types."""

    pairs: tuple[tuple[int, float], ...]
    either: int | float = 0
    word: str | tuple[float, float] = "none"


def test_only_what_is_declared_a_float_is_written_as_one() -> None:
    assert repr(Mixed([(1, 1), (2, -0.0)], 3, (0, 1))) == (
        "Mixed(((1, 1.0), (2, 0.0)), either=3.0, word=(0.0, 1.0))"
    )
    for spec in (Mixed(((1, 2.0),)), Mixed((), 1.0), Mixed((), 0, (1, 0.5))):
        assert_numbers_are_canonical(spec)
    with pytest.raises(nw.SpecError, match=r"pairs is \(\(1\.0, 1\),\), wanted \(\(an integer"):
        Mixed(((1.0, 1),))
    with pytest.raises(nw.SpecError, match=r"word is \(1,\), wanted a text .* or \(a number"):
        Mixed((), 0, (1,))


def test_annotations_may_be_types() -> None:
    """As they are in a module that does not postpone them."""
    annotations = {"rate": float, "width": int | None}
    fields = {"__annotations__": annotations, "width": None, "__module__": __name__}
    typed: Any = type("Typed", (Value,), fields, abstract=True)
    assert repr(typed(1, 2)) == "Typed(1.0, width=2)"
    with pytest.raises(nw.SpecError, match="width is True, wanted an integer"):
        typed(1, True)


def test_symbols_are_left_alone() -> None:
    sympy = pytest.importorskip("sympy")
    width = sympy.Symbol("N", positive=True, integer=True)
    assert nw.Conv(width).width is width
    assert Net(nw.Conv(width), (width, 8, 8)).input[0] is width


def test_an_input_is_of_python_integers() -> None:
    net = Net(nw.Conv(8), (np.int64(3), 32, 32))
    assert net.hash == Net(nw.Conv(8), (3, 32, 32)).hash
    for wrong in ((3, 32.0, 32), (True, 32, 32)):
        with pytest.raises(nw.ShapeError, match="no positive integer"):
            Net(nw.Conv(8), wrong)
