"""Time: TimeDistributed in plans and modules, and what the axis of a (T, F) sequence is."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.core.codec import decode, encode
from netwright.core.net import Net
from netwright.errors import ShapeError
from netwright.report.record import plan_record
from oracles import assert_plan_is_true, surrogate

FRAME = (3, 13, 11)
EYE = nw.Sequential(conv=nw.Conv(6, 3, 2), norm=nw.BatchNorm(), act=nw.ReLU())

EYE_UNITS = ("BatchNorm", "Conv", "ReLU")


def steps(body: nw.Spec, *shape: int) -> Net:
    return Net(nw.Sequential(each=nw.TimeDistributed(body)), shape)


def test_a_plan_counts_weights_once_and_work_every_step() -> None:
    once, many = Net(nw.Sequential(each=EYE), FRAME).plan(), steps(EYE, 5, *FRAME).plan()
    assert many.output == (5, *once.output)
    assert (many.params, many.buffers) == (once.params, once.buffers)
    assert (many.macs, many.ops, many.activations) == tuple(
        5 * n for n in (once.macs, once.ops, once.activations)
    )
    assert many.peak_bytes == pytest.approx(5 * once.peak_bytes, rel=0.02)
    assert [row.path for row in many] == [f"each.body.{name}" for name in EYE.names]
    assert {row.copies for row in many} == {5}
    assert many.rows[0].output == once.rows[0].output


def test_the_module_is_the_body_step_by_step() -> None:
    net = steps(EYE, 5, *FRAME)
    assert_plan_is_true(net)
    model = net.build(seed=0).eval()
    x = torch.rand(2, 5, *FRAME)
    body = model.get_submodule("each.body")
    torch.testing.assert_close(model(x), torch.stack([body(x[:, t]) for t in range(5)], 1))
    assert next(iter(model.state_dict())) == "each.body.conv.weight"


def test_copies_multiply_when_time_is_nested() -> None:
    plan = steps(nw.TimeDistributed(nw.Linear(4)), 5, 3, 7).plan()
    assert plan.output == (5, 3, 4)
    assert (plan.params, plan.macs, plan.rows[0].copies) == (32, 15 * 28, 15)


def test_the_field_is_of_one_step() -> None:
    net = steps(EYE, 5, *FRAME)
    plan = net.plan()
    assert plan.rows[0].field.size == (3, 3)
    after = Net(nw.Sequential(each=nw.TimeDistributed(EYE), last=nw.Identity()), net.input).plan()
    assert after.rows[-1].field.size == (1, 3, 3)
    assert after.rows[-1].field.status == "exact"
    assert after.rows[-1].copies == 1


def test_a_pooled_frame_leaves_the_time_axis() -> None:
    spec = nw.Sequential(
        each=nw.TimeDistributed(nw.Sequential(EYE, pool=nw.GlobalAvgPool())), fc=nw.Linear(4)
    )
    field = Net(spec, (5, *FRAME)).plan().rows[-1].field
    assert (field.size, field.status) == ((1,), "global")


@pytest.mark.parametrize("spec", [nw.Linear(4), nw.TimeDistributed(nw.Linear(4))])
def test_a_dense_unit_sees_one_step_of_a_sequence(spec: nw.Spec) -> None:
    net = Net(nw.Sequential(fc=spec, last=nw.Identity()), (7, 5))
    field = net.plan().rows[-1].field
    assert (field.size, field.status) == ((1,), "exact")
    model = surrogate(net.build())
    touched = _steps_seen(model, (7, 5), 3)
    assert touched == set(range(*_span(field, 3)))


def _span(field, unit: int) -> tuple[int, int]:
    ((first, last),) = field.box([unit])
    return first, last + 1


def _steps_seen(model, shape, unit: int) -> set[int]:
    x = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    model(x)[0, unit].sum().backward()
    return set(torch.nonzero(x.grad[0].abs().sum(1)).flatten().tolist())


def test_tables_and_records_say_how_many_steps() -> None:
    spec = nw.Sequential(cell=nw.ConvLSTM(4, (1, 3)), each=nw.TimeDistributed(EYE))
    plan = Net(spec, (5, *FRAME)).plan()
    lines = {line.split()[0]: line for line in plan.table().splitlines() if line.strip()}
    assert "5 of 4x13x11" in lines["conv"]
    assert "5 of 6x7x6" in lines["conv"]
    assert "1x3 p0x1" in lines["cell"]
    assert [row["copies"] for row in plan_record(plan)["rows"]] == [1, 5, 5, 5]


def test_rewrites_and_json_reach_inside() -> None:
    net = steps(EYE, 5, *FRAME)
    assert decode(encode(net.spec)) == net.spec
    assert eval(repr(net.spec), vars(nw.core) | {n: getattr(nw, n) for n in EYE_UNITS}) == net.spec
    other = net.but(each__body__act=nw.GELU())
    assert isinstance(other.spec["each"], nw.TimeDistributed)
    assert [change.path for change in nw.diff(net, other).changes] == ["each.body.act"]


def test_weights_shared_around_time() -> None:
    shared = nw.TimeDistributed(nw.Shared(nw.Linear(6), "key"))
    net = Net(nw.Sequential(shared, shared), (5, 6))
    plan = net.plan()
    assert (plan.params, plan.macs) == (42, 2 * 5 * 36)
    assert sum(p.numel() for p in net.build().parameters()) == 42


def test_a_vector_has_no_time() -> None:
    with pytest.raises(ShapeError, match=r"^at each: TimeDistributed takes .* got 8"):
        steps(nw.Linear(4), 8).plan()


def test_what_breaks_inside_is_told_by_its_path() -> None:
    with pytest.raises(ShapeError, match=r"^at each.body.1: "):
        steps(nw.Sequential(nw.Identity(), nw.Conv(3)), 5, 8).plan()
