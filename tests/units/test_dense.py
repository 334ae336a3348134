"""Dense layers: what they compute, and what thresholds make of them."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netwright as nw
from netwright.core.net import Net
from netwright.errors import NetwrightError, ShapeError, SpecError
from oracles import assert_plan_is_true

EXAMPLES = Path(__file__).parents[2] / "examples/units"
CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.fixture
def mlp(monkeypatch):
    """The example `mlp.py`, as a script beside it would import it."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import mlp

    yield mlp
    for name in ("mlp", "board"):
        sys.modules.pop(name, None)


def test_linear_is_pytorchs_at_every_step() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    layer = nw.Linear(7).module((5, 12)).double()
    assert torch.equal(layer(x), F.linear(x, layer.weight, layer.bias))
    by_hand = torch.einsum("ntf,of->nto", x, layer.weight) + layer.bias
    torch.testing.assert_close(layer(x), by_hand)


def test_linear_on_a_sequence_sees_its_own_step_and_all_of_its_features() -> None:
    layer, x = nw.Linear(7).module((5, 12)), torch.rand(1, 5, 12, requires_grad=True)
    layer(x)[0, 3, 2].backward()
    assert (x.grad[0] != 0).all(1).tolist() == [False, False, False, True, False]
    row = Net(nw.Linear(7), (5, 12)).plan().rows[0]
    assert (row.output, row.params, row.macs) == ((5, 7), 7 * 13, 5 * 12 * 7)
    assert row.field.size == (1,)


@pytest.mark.parametrize("widths", [(3,), (16, 3), (16, 8, 3)])
@pytest.mark.parametrize("shape", [(12,), (5, 12)])
def test_mlp_has_an_activation_between_layers(widths: tuple[int, ...], shape) -> None:
    net = Net(nw.MLP(widths, nw.Tanh()), shape)
    plan = net.plan()
    assert plan.output == (*shape[:-1], 3)
    ins = (12, *widths)
    assert plan.params == sum((a + 1) * b for a, b in zip(ins, widths, strict=False))
    steps = 5 if len(shape) > 1 else 1
    assert plan.macs == steps * sum(a * b for a, b in zip(ins, widths, strict=False))
    assert nw.from_json(net.to_json()) == net
    x = y = torch.rand(2, *shape)
    model = net.build(seed=0)
    for i, layer in enumerate([m for m in model.modules() if isinstance(m, nn.Linear)]):
        y = layer(y if i == 0 else y.tanh())
    torch.testing.assert_close(model(x), y)


def test_maxout_layer_is_the_papers() -> None:
    """h_i = max_j x W_ij + b_ij (Goodfellow et al. 2013, equation 1)."""
    net = Net(nw.MaxoutLinear(4, 3), (10,))
    assert_plan_is_true(net)
    assert net.plan().params == (10 + 1) * 4 * 3
    model, x = net.build(seed=0), torch.rand(5, 10)
    w, b = model.fc.weight.view(4, 3, 10), model.fc.bias.view(4, 3)
    wanted = (torch.einsum("nf,ijf->nij", x, w) + b).amax(2)
    torch.testing.assert_close(model(x), wanted)
    assert nw.from_json(net.to_json()) == net


def test_maxout_layers_learn_convex_functions_of_their_pieces() -> None:
    """max(x, -x, 0.5) from three pieces, exactly."""
    model = Net(nw.MaxoutLinear(1, 3), (1,)).build()
    with torch.no_grad():
        model.fc.weight.copy_(torch.tensor([[1.0], [-1.0], [0.0]]))
        model.fc.bias.copy_(torch.tensor([0.0, 0.0, 0.5]))
    x = torch.linspace(-2, 2, 41)[:, None]
    torch.testing.assert_close(model(x), x.abs().clamp(min=0.5))


def test_wrong_blocks_are_refused() -> None:
    wrong = [{"widths": ()}, {"widths": (3, 0)}, {"widths": 5}]
    wrong += [{"widths": (5,), "act": "relu"}, {"widths": (5,), "bias": 0}]
    for fields in wrong:
        with pytest.raises(SpecError, match=r"MLP: .* wanted"):
            nw.MLP(**fields)
    with pytest.raises(SpecError, match="pieces is 0, wanted"):
        nw.MaxoutLinear(4, 0)
    with pytest.raises(ShapeError, match=r"MaxoutLinear takes \(F,\), got 3x10"):
        Net(nw.MaxoutLinear(4), (3, 10)).plan()
    with pytest.raises(NetwrightError, match="flatten or pool it first"):
        Net(nw.MLP((4,)), (3, 8, 8)).plan()


# -- thresholds


def table(model: nn.Module) -> tuple[int, ...]:
    """Outputs at the four corners."""
    return tuple(int(v) for v in model(torch.tensor(CORNERS, dtype=torch.float64)).flatten())


def test_gates_are_neurons_and_xor_takes_two_layers(mlp) -> None:
    want = {
        "AND": lambda a, b: a and b,
        "OR": lambda a, b: a or b,
        "NAND": lambda a, b: not (a and b),
    }
    assert {*want} == {*mlp.GATES}
    for name, gate in want.items():
        wanted = tuple(int(gate(*x)) for x in CORNERS)
        assert table(mlp.module([[mlp.GATES[name]]])) == wanted
        assert tuple(mlp.fires([[mlp.GATES[name]]], x)[0] for x in CORNERS) == wanted
    assert table(mlp.module(mlp.XOR)) == (0, 1, 1, 0)
    assert len(mlp.XOR) == 2


def test_one_neuron_has_fourteen_of_sixteen_gates_and_two_layers_have_all(mlp) -> None:
    neurons = [((a, b), c) for a, b, c in product((-1, 0, 1), (-1, 0, 1), (-1.5, -0.5, 0.5, 1.5))]
    single = {tuple(int(mlp.fires([[n]], x)[0]) for x in CORNERS) for n in neurons}
    every = {*product((0, 1), repeat=4)}
    # XOR needs b < 0, w1 + b >= 0, w2 + b >= 0 and w1 + w2 + b < 0; the first three sum to its
    # contrary. Its complement likewise.
    assert every - single == {(0, 1, 1, 0), (1, 0, 0, 1)}
    for wanted in every:  # a neuron for every corner where it fires, then OR
        minterms = [
            (tuple(2 * v - 1 for v in x), 0.5 - sum(x))
            for x, on in zip(CORNERS, wanted, strict=True) if on
        ]  # fmt: skip
        layers = [minterms or [((0, 0), -1)], [((1,) * (len(minterms) or 1), -0.5)]]
        assert table(mlp.module(layers)) == wanted


def within(points: Tensor, tips: list[tuple[float, float]]) -> Tensor:
    """Whether points lie inside a polygon, by counting the edges that a ray to the right cuts."""
    x, y = points.T
    inside = torch.zeros(len(points), dtype=torch.bool)
    for (ax, ay), (bx, by) in zip(tips, [*tips[1:], tips[0]], strict=True):
        crosses = (ay > y) != (by > y)
        inside ^= crosses & (x < ax + (y - ay) / (by - ay) * (bx - ax))
    return inside


def test_layers_carve_half_planes_convex_polygons_and_any_polygon(mlp) -> None:
    points = torch.rand(4000, 2, generator=torch.Generator().manual_seed(0)).double() * 2 - 1
    half, polygon, star = (
        mlp.module(layers)(points)[:, 0].bool() for layers in mlp.SHAPES.values()
    )
    (a, b), (c, d) = (-0.8, -0.6), (0.9, 0.3)
    x, y = points.T
    assert torch.equal(half, y > b + (x - a) * (d - b) / (c - a))
    assert torch.equal(polygon, within(points, mlp.ring(5, 0.8)))
    outline = [
        p for pair in zip(mlp.ring(5, 0.85), mlp.ring(5, 0.35, 0.5), strict=True) for p in pair
    ]
    assert torch.equal(star, within(points, outline))
    assert [len(layers) for layers in mlp.SHAPES.values()] == [1, 2, 3]
    assert 0.1 < star.double().mean() < polygon.double().mean()


def test_threshold_nets_learn_through_the_straight_gradient() -> None:
    """AND from data: the gradient finds the plane that the step hides."""
    model = Net(nw.Sequential(nw.Linear(1), nw.Step()), (2,)).build(seed=0)
    x, wanted = torch.tensor(CORNERS).float(), torch.tensor([0.0, 0.0, 0.0, 1.0])[:, None]
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (model(x) - wanted).square().sum().backward()
        optimizer.step()
    assert torch.equal(model(x), wanted)
