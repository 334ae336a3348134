"""Recurrence against PyTorch's layers and against the loop over time written out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netwright as nw
from netwright.core.net import Net
from netwright.errors import ShapeError
from oracles import assert_plan_is_true, planned_sets

CELLS = [(nw.RNN, nn.RNN), (nw.LSTM, nn.LSTM), (nw.GRU, nn.GRU)]
WAYS = [(1, False), (2, True)]


def steps_seen(model: nn.Module, shape: tuple[int, ...], step: int) -> set[int]:
    """Time steps of the input that output `step` depends on."""
    x = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
    model.double()(x)[0, step].sum().backward()
    return set(torch.nonzero(x.grad[0].abs().flatten(1).sum(1)).flatten().tolist())


@pytest.mark.parametrize(("kind", "peer"), CELLS)
@pytest.mark.parametrize(("depth", "both"), WAYS)
def test_it_is_pytorchs_layer(kind, peer, depth: int, both: bool) -> None:
    ours = kind(6, depth=depth, bidirectional=both).module((7, 5))
    last = kind(6, depth=depth, bidirectional=both, last=True).module((7, 5))
    theirs = peer(5, 6, depth, batch_first=True, bidirectional=both)
    for module in (ours, last):
        module.load_state_dict(theirs.state_dict())
    x = torch.randn(3, 7, 5)
    y, state = theirs(x)
    h = state[0] if isinstance(state, tuple) else state
    torch.testing.assert_close(ours(x), y)
    ends = [h[-2], h[-1]] if both else [h[-1]]
    torch.testing.assert_close(last(x), torch.cat(ends, 1))
    forward = y[:, -1, :6]
    torch.testing.assert_close(last(x)[:, :6], forward)


@pytest.mark.parametrize("kind", [nw.RNN, nw.LSTM, nw.GRU])
def test_a_forward_step_sees_the_steps_before_it(kind) -> None:
    net = Net(nw.Sequential(rnn=kind(4), last=nw.Identity()), (7, 5))
    field = net.plan().rows[-1].field
    assert (field.size, field.status) == ((7,), "exact")
    for step in (0, 3, 6):
        (planned,) = planned_sets(field, [step])
        assert steps_seen(net.build(), net.input, step) == {i for i in planned if i >= 0}


@pytest.mark.parametrize("fields", [{"bidirectional": True}, {"last": True}])
def test_others_see_the_whole_sequence(fields: dict) -> None:
    net = Net(nw.GRU(4, **fields), (7, 5))
    assert net.plan().rows[0].field.status == "global"
    assert steps_seen(net.build(), net.input, 0) == set(range(7))


def test_dense_bilstm_reads_all_before() -> None:
    net = Net(nw.DenseBiLstm(3, 4), (7, 5))
    plan = net.plan()
    assert plan.output == (7, 5 + 3 * 8)
    reads = [row.input[1] for row in plan if isinstance(row.unit, nw.LSTM)]
    assert reads == [5, 13, 21]
    assert plan.params == sum(2 * 16 * (f + 4 + 2) for f in reads)
    assert plan.macs == sum(7 * 2 * 16 * (f + 4) for f in reads)
    assert_plan_is_true(net, macs=False)
    model = net.build(seed=0)
    x = torch.rand(2, 7, 5)
    read = x
    for i in range(3):
        read = torch.cat([read, model.get_submodule(f"lstm{i}")(read)], 2)
    torch.testing.assert_close(model(x), read)


def test_a_cnn_reads_frames_and_an_lstm_their_order() -> None:
    eye = nw.Sequential(conv=nw.Conv(4), act=nw.ReLU(), pool=nw.GlobalAvgPool())
    spec = nw.Sequential(eye=nw.TimeDistributed(eye), lstm=nw.LSTM(6, last=True), fc=nw.Linear(3))
    net = Net(spec, (5, 3, 8, 8))
    plan = net.plan()
    assert plan.output == (3,)
    assert plan.row("lstm").inputs == ((5, 4),)
    assert plan.macs == 5 * 108 * 64 + 5 * 24 * (4 + 6) + 18
    assert_plan_is_true(net, macs=False)
    assert net.build()(torch.rand(2, 5, 3, 8, 8)).shape == (2, 3)


def test_sequences_of_other_lengths_are_not_joined() -> None:
    with pytest.raises(ShapeError, match=r"one length, got 7x5 \+ 6x5"):
        nw.CatFeatures().shape((7, 5), (6, 5))


def test_lengths_may_be_symbols() -> None:
    sympy = pytest.importorskip("sympy")
    T, F, H = sympy.symbols("T F H", positive=True, integer=True)
    plan = Net(nw.LSTM(H), (T, F)).plan()
    assert sympy.expand(plan.macs - 4 * T * H * (F + H)) == 0
    assert sympy.expand(plan.params - 4 * H * (F + H + 2)) == 0
    assert plan.rows[0].field.status == "unknown"
