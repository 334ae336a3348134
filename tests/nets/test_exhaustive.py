"""Every registered net in one graph, a quarter of an hour of `make exhaustive` on two cores.

The suite compiles and exports a small net of every family and compares numbers; here all
nets are traced as they are, on the meta device, where only shapes can be compared.
"""

from __future__ import annotations

import pytest
import torch

import netwright as nw

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive, pytest.mark.filterwarnings("ignore")]

BROKEN = {"cnn_lstm": "Dynamo leaves the graph at nn.LSTM"}
"""Nets that `torch.compile` cannot take as one graph, and why."""


def built(name):
    net = nw.net(name)
    model = net.build(device="meta", init="torch").eval()
    return model, torch.empty(1, *net.input, device="meta"), net.plan().output


@pytest.mark.parametrize("name", nw.nets())
def test_compiles_as_one_graph(name):
    if name in BROKEN:
        pytest.skip(BROKEN[name])
    model, x, output = built(name)
    torch._dynamo.reset()
    made = torch.compile(model, backend="eager", fullgraph=True)(x)
    assert tuple(made.shape[1:]) == output


@pytest.mark.parametrize("name", nw.nets())
def test_exports(name):
    model, x, output = built(name)
    made = torch.export.export(model, (x,), strict=False).module()(x)
    assert tuple(made.shape[1:]) == output
