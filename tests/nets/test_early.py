"""Small nets of their time: LeNet-5 as it was, FitNets, the deeply supervised net."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.nets.lenet import TABLE

MAPS = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
"""
"""Table I of LeCun et al. 1998: a row a map of S2, a column a map of C3."""


def test_c3_reads_what_the_papers_table_says():
    rows = MAPS.split()
    columns = [{i for i, row in enumerate(rows) if row[j] == "X"} for j in range(16)]
    assert [set(maps) for maps in TABLE] == columns
    assert sum(map(len, TABLE)) == 60


def test_lenet5_has_the_papers_parameters_layer_by_layer():
    plan = nw.net("lenet5_original").plan()
    layers = dict.fromkeys(("c1", "s2", "c3", "s4", "c5", "f6", "output"), 0)
    for row in plan:
        name = row.path.split(".")[0]
        if name in layers:
            layers[name] += row.params
    assert layers == {
        "c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164, "output": 0
    }  # fmt: skip
    assert plan.params == 60_000


def test_codes_are_far_apart_and_the_nearest_wins():
    unit = nw.RadialBasis(10).module((84,))
    codes = unit.codes
    assert set(codes.unique().tolist()) == {-1.0, 1.0}
    wanted = (codes[:, None] - codes[None]).square().sum(-1)
    torch.testing.assert_close(unit(codes), wanted)
    assert wanted[~torch.eye(10, dtype=torch.bool)].min() >= 4 * 30  # bits that differ
    model = nw.net("lenet5_original").build(seed=1).eval()
    model.f6.register_forward_hook(lambda m, x, y: 5 * codes[[7, 2]])
    assert model(torch.zeros(2, 1, 32, 32)).argmax(1).tolist() == [7, 2]


def test_other_numbers_of_classes():
    assert nw.net("lenet5_original").but(classes=26).plan().output == (26,)
    with pytest.raises(nw.ShapeError, match="84 numbers have codes for 127 classes"):
        nw.net("lenet5_original", classes=128).plan()


def test_fitnets_as_published():
    """Table 1 of the paper; its counts leave biases out."""
    published = {1: (250e3, 30e6), 2: (862e3, 108e6), 3: (1.6e6, 392e6), 4: (2.5e6, 382e6)}
    for i, (params, multiplications) in published.items():
        plan = nw.net(f"fitnet{i}_cifar10").plan()
        convs = sum(row.macs for row in plan if isinstance(row.unit, nw.Conv))
        assert plan.params == pytest.approx(params, rel=0.025)
        assert convs == pytest.approx(multiplications, abs=0.5e6)


def test_companions_supervise_every_stage():
    model = nw.net("dsn_cifar10", classes=5).build(seed=1)
    x = torch.randn(2, 3, 32, 32)
    outputs = model.train()(x)
    taps = [f"mlpconv{i}.companion" for i in (1, 2, 3)]
    assert {name: y.shape for name, y in outputs.items()} == dict.fromkeys(["out", *taps], (2, 5))
    outputs[taps[0]].sum().backward()
    reached = {name.split(".")[1] for name, p in model.named_parameters() if p.grad is not None}
    assert reached == {"conv", "companion"}
    assert model.eval()(x).shape == (2, 5)
