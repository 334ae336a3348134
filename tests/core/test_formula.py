"""Formulas hold at every number put into them."""

from __future__ import annotations

import json

import pytest

import netwright as nw
from netwright.cli import main
from netwright.nets.registry import entry
from netwright.symbols.expression import read
from netwright.symbols.formulas import COUNTS, formula, halving, ratios, symbol

sympy = pytest.importorskip("sympy")

NETS = ("resnet50", "densenet121", "mobilenet_v2", "unet", "convnext_tiny", "inception_v4",
        "shufflenet_v2_x1_0", "lenet5", "nin_cifar10", "resnet20_cifar10_a", "bam_resnet50",
        "squeezenet1_1", "darknet19", "xception")  # fmt: skip


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("sides", [(7, 7), (8, 5)])
def test_a_formula_is_the_plan_at_every_size(name, sides):
    net = entry(name)()
    made = formula(net, halving(net))
    at = dict(zip(map(symbol, "HW"), sides, strict=True))
    input = tuple(int(sympy.sympify(size).subs(at)) for size in made.input)
    plan = net.plan(input)
    assert {n: sympy.sympify(getattr(made, n)).subs(at) for n in COUNTS} == {
        n: getattr(plan, n) for n in COUNTS
    }


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("cnn_lstm", (3, 3, 4)), ("conv_lstm", (1, 3, 5)), ("conv_lstm", (4, 1, 2)),
     ("c3d", (1, 3, 2)), ("p3d63", (2, 1, 3)), ("ecg_cnn1d", (1, 1, 1))],
)  # fmt: skip
def test_formulas_of_sequences_and_volumes(name, sizes):
    net = entry(name)()
    made = formula(net, halving(net))
    at = {**dict(zip(map(symbol, "THW"), sizes, strict=True)), symbol("L"): 64}
    plan = net.plan(tuple(int(sympy.sympify(size).subs(at)) for size in made.input))
    assert {n: sympy.sympify(getattr(made, n)).subs(at) for n in COUNTS} == {
        n: getattr(plan, n) for n in COUNTS
    }


def test_steps_are_t_and_what_no_window_moves_is_not_multiplied():
    t, h, w = map(symbol, "THW")
    assert halving(nw.net("cnn_lstm")) == (t, 3, 32 * h, 32 * w)
    assert halving(nw.net("conv_lstm")) == (t, 1, 4 * h, 4 * w)
    assert halving(nw.Net(nw.LSTM(8), (5, 12))) == (t, 12)
    assert halving(nw.Net(nw.Linear(8), (12,))) == (12,)
    steps = nw.TimeDistributed(nw.Sequential(nw.TimeDistributed(nw.ReLU()), nw.Conv(2, 3, 2)))
    assert halving(nw.Net(steps, (5, 4, 12, 9)))[0] == t


def test_nets_of_other_ranks_have_symbols_to_halve():
    for net in (net for net in map(nw.net, nw.nets()) if len(net.input) != 3):
        made = halving(net)
        assert len(made) == len(net.input)
        assert made[0] in (net.input[0], symbol("T")), net.name


def test_texts_are_symbols():
    plan = nw.net("resnet50").plan(("C", "32*H", "32*W"))
    at = dict(zip(map(symbol, "CHW"), (3, 7, 7), strict=True))
    assert plan.macs.subs(at) == nw.net("resnet50").plan().macs


@pytest.mark.parametrize(
    ("over", "under", "name", "wanted"),
    [
        ("SeparableConv(N)", "Conv(N, 3)", "macs", "(N + 9)/(9*N)"),
        ("Conv(C, 3)", "SeparableConv(C)", "macs", "9*C/(C + 9)"),
        ("Sequential(Conv(C, (3, 1), bias=False), Conv(C, (1, 3), bias=False))",
         "Conv(C, 3, bias=False)", "params", "2*C/(3*C)"),
    ],
)  # fmt: skip
def test_ratios_of_the_field(over, under, name, wanted):
    made = ratios(formula(read(over, symbol)), formula(read(under, symbol)))[name]
    assert (
        sympy.simplify(made - sympy.sympify(wanted, locals={"C": symbol("C"), "N": symbol("N")}))
        == 0
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Conv(9**9**9)", "no size"),
        ("Conv(1/0)", "divides by zero"),
        ("(lambda: 3)()", "neither a spec nor a size"),
        ("open('x')", "no spec is called 'open'"),
        ("Conv(64, colour=3)", "colour"),
        ("Conv(64", "cannot be read"),
        ("Conv", r"missing"),
        ("(" * 5000, "cannot be read"),
        ("Sequential(*3)", "neither a spec nor a size"),
    ],
)
def test_what_cannot_be_read_is_told(text, said):
    with pytest.raises(nw.NetwrightError, match=said):
        read(text, symbol)


def test_reading_is_the_inverse_of_repr():
    spec = nw.net("mobilenet_v2").spec
    assert read(repr(spec)) == spec


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(["formula", *arguments])
    assert stop.value.code == 0
    return capsys.readouterr().out


def test_the_command(capsys):
    record = json.loads(run(capsys, "SeparableConv(N)", "--over", "Conv(N, 3)", "--json"))
    assert record["ratios"]["macs"] == "1/9 + 1/N"
    assert "83410944*H*W + 2048000" in run(capsys, "resnet50")
    assert "1354752*N" in run(capsys, "Conv(N, 3)", "--input", "3x224x224")
    assert "C H K^{2} W" in run(capsys, "MaxPool(K)", "--input", "C,K*H,K*W", "--latex")


@pytest.mark.parametrize("arguments", [["resnt50"], ["7"], ["Conv(N)", "--input", "C,ReLU()"]])
def test_the_command_refuses(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["formula", *arguments])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("netwright: ")
