"""What a plan says is what the module does, for every net that is registered."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections import defaultdict

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import netwright as nw
from netwright import blocks, core, units
from netwright.core.wiring import Branches
from netwright.nets import registry
from zoo import CASES, make, on_meta

NAMES = {name: getattr(room, name) for room in (core, units, blocks) for name in room.__all__}


def image(net, batch=1):
    return torch.empty(batch, *net.input, device="meta")


@pytest.fixture(params=CASES)
def net(request):
    return make(request.param)


@pytest.fixture(params=CASES)
def built(request):
    """(net, its plan, its module on no device)."""
    net = make(request.param)
    return net, net.plan(), on_meta(request.param)


def unit_at(model, path):
    """The module of a row."""
    module = model.get_submodule(path)
    return module.join if isinstance(getattr(module, "wiring", None), Branches) else module


def test_shapes_are_executed_shapes(built):
    net, plan, model = built
    seen, wanted = defaultdict(list), defaultdict(list)

    def note(module, xs, y):
        seen[module].append((tuple(x.shape[1:] for x in xs), y.shape[1:]))

    for row in plan:  # a shared module has several
        wanted[unit_at(model, row.path)].append((row.inputs, row.output))
    handles = [module.register_forward_hook(note) for module in wanted]
    try:
        model.train()(image(net, batch=2))  # training also runs auxiliary heads
    finally:
        model.eval()
        for handle in handles:
            handle.remove()
    assert seen == wanted
    assert model(image(net)).shape[1:] == plan.output


def test_parameters_and_buffers_are_counted_and_named(built):
    _, plan, model = built
    wanted, known = {}, set()
    with torch.device("meta"):
        for row in plan:
            unit, place = row.unit.module(*row.inputs), unit_at(model, row.path)
            new = place not in known  # a shared module is counted once
            known.add(place)
            assert row.params == new * sum(p.numel() for p in unit.parameters()), row.path
            assert row.buffers == new * sum(b.numel() for b in unit.buffers()), row.path
            wanted |= {f"{row.path}.{name}": t.shape for name, t in unit.state_dict().items()}
    assert {name: t.shape for name, t in model.state_dict().items()} == wanted
    assert plan.params == sum(p.numel() for p in model.parameters())
    assert plan.buffers == sum(b.numel() for b in model.buffers())


def test_macs_are_half_of_what_torch_counts(built):
    net, plan, model = built
    with FlopCounterMode(display=False) as counter:
        model(image(net))
    assert counter.get_total_flops() == 2 * plan.macs


def test_module_survives_pickling(built):
    _, _, model = built
    again = pickle.loads(pickle.dumps(model))
    assert repr(again) == repr(model)
    assert list(again.state_dict()) == list(model.state_dict())
    assert again.net == model.net


def test_net_survives_json_repr_and_pickling(net):
    assert nw.from_json(net.to_json()) == net
    assert eval(repr(net.spec), dict(NAMES)) == net.spec
    again = pickle.loads(pickle.dumps(net))
    assert again == net
    assert hash(again) == hash(net)
    assert again.hash == net.hash


def test_repeated_structure_keeps_json_small(net):
    assert len(net.to_json()) < max(8000, 25 * len(net.plan().rows))


def test_hash_is_the_same_in_every_process():
    code = "import json, netwright as nw; print(json.dumps({n: nw.net(n).hash for n in nw.nets()}))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True
    )
    hashes = json.loads(told.stdout)
    assert hashes == {name: nw.net(name).hash for name in nw.nets()}
    del hashes["squeezeresnet_v1_0"]  # pytorchcv's name of the net with simple bypass
    assert len(set(hashes.values())) == len(hashes)


def test_families_hold_the_names_they_say():
    for family, held in registry.FAMILIES.items():
        for name in held.split():
            assert registry.entry(name).make.__module__ == f"netwright.nets.{family}"
    assert set(nw.nets()) == set(" ".join(registry.FAMILIES.values()).split())


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("resnet50", {"depths": (3, 0)}, "depths is (3, 0), wanted integers of at least 1"),
        ("resnet50", {"depths": ()}, "depths is (), wanted integers of at least 1"),
        ("resnet20_cifar10", {"depth": 21}, "depth is 21, wanted 6n + 2"),
        ("wrn28_10_cifar10", {"depth": 20}, "depth is 20, wanted 6n + 4"),
        ("pyramidnet110_a48_cifar10", {"alpha": 0}, "alpha is 0, wanted a number above 0"),
        ("resnext50_32x4d", {"widen": 0}, "widen is 0"),
        ("densenet121", {"growth": 0}, "growth is 0"),
        ("mobilenet_v2", {"width": -1.0}, "width is -1.0, wanted a number above 0"),
        ("vgg16", {"depth": 3}, "vgg16 has no option 'depth'; it has: input, depths"),
        ("regnet_x_400mf", {"step": 1.0}, "wanted a slope of at least 0 and a step above 1"),
        ("unet", {"depth": 0}, "depth is 0"),
        ("lenet5", {"classes": 0}, "width is 0"),
    ],
)
def test_impossible_options_are_refused(name, options, said):
    with pytest.raises(nw.SpecError) as caught:
        nw.net(name, **options).plan()
    assert said in str(caught.value)


def test_every_net_takes_classes():
    for name in nw.nets():
        net = nw.net(name, classes=3)
        assert net.plan().output[0] == 3, name
        assert net.hash != nw.net(name).hash, name
