"""The public face: names, arrows, weight of an import."""
# pyright: reportArgumentType=false
# some are wrong on purpose

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

import netwright as nw
from netwright import errors
from netwright.core.lazy import Lazy
from netwright.core.spec import SPECS

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(nw.__path__, "netwright.")
    if not module.name.endswith("__main__")
)


def test_promised_names() -> None:
    for name in ("net", "nets", "blocks", "units", "rules", "rule", "weights", "from_json", "diff"):
        assert callable(getattr(nw, name)), name
    assert "resnet50" in nw.nets("resnet*")
    assert "Bottleneck" in nw.blocks()
    assert "Conv" in nw.units()
    assert nw.look("occ*") == ["occlusion"]
    with pytest.raises(AttributeError, match="nothing"):
        nw.nothing  # noqa: B018


@pytest.mark.parametrize("name", MODULES)
def test_all_is_exact(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, name
    exported = list(getattr(module, "__all__", []))
    assert len(exported) == len({*exported})
    for n in exported:
        assert hasattr(module, n), n
    own = {
        n for n, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == name and not n.startswith("_")
    }  # fmt: skip
    assert own <= {*exported}, name


def test_public_things_are_documented() -> None:
    for name, kind in SPECS.items():
        assert kind.__doc__, name
        for method, value in vars(kind).items():
            if inspect.isfunction(value) and not method.startswith("_"):
                assert inspect.getdoc(getattr(kind, method)), f"{name}.{method}"


def test_specs_of_tests_are_not_registered() -> None:
    """Kits read the registry; a spec that only a test has is abstract, so that they miss it."""
    assert [
        name for name, kind in SPECS.items() if not kind.__module__.startswith("netwright.")
    ] == []


def test_one_exception_tree() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        if inspect.isclass(kind):
            assert issubclass(kind, errors.NetwrightError)
            assert name in (errors.__doc__ or "")


@pytest.mark.parametrize("room", ["core", "units", "blocks", "nets", "rules", "report", "space"])
def test_rooms_that_never_import_torch(room: str) -> None:
    code = f"""
import importlib, pkgutil, sys
package = importlib.import_module("netwright.{room}")
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
import netwright as nw
for name in nw.nets():
    nw.net(name)
print(sorted({{"torch", "numpy", "sympy", "rich", "click"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_two_specs_of_one_name_are_refused() -> None:
    with pytest.raises(errors.SpecError, match="two specs are called Conv"):
        type("Conv", (nw.Unit,), {"__module__": "elsewhere"})


def test_what_a_prompt_completes() -> None:
    offered = dir(nw)
    assert {"net", "nets", "plan", "weights", "Conv", "Bottleneck", "SpecError"} <= {*offered}
    assert all(hasattr(nw, name) for name in offered)
    assert {"Conv", "MaxPool"} <= {*dir(nw.units)}


def test_values_at_a_prompt_are_short() -> None:
    net = nw.net("resnet18")
    assert repr(net.plan()).startswith("<Plan of resnet18 at 3x224x224: 73 rows, 11689512 params")
    assert str(nw.diff(net, net.but(classes=10))).startswith("head.fc\n  - Linear(1000)")


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda: nw.net("resnet18", input=224), "224 is no input; wanted a shape without the"),
        (lambda: nw.net("resnet18").plan("3x64x64"), "'3x64x64' is no input"),
        (lambda: nw.net("resnet18").plan(batch="2"), "batch is '2', wanted an integer"),
        (lambda: nw.net("resnet18").rewrite("widen", 2), "2 is no rule; wanted a name"),
        (lambda: nw.net(18), "no net is called 18"),
        (lambda: nw.Net(3, (3, 8, 8)), "made of a unit, a block or wiring; got 3"),
        (lambda: nw.diff("lenet5", nw.net("lenet5")), "diff takes a Net, got 'lenet5'"),
        (lambda: nw.scale("lenet5", macs=3e5), "scale takes a Net, got 'lenet5'"),
        (lambda: nw.scale(nw.net("lenet5"), macs="1M"), "scale wants a bound above 0"),
        (lambda: nw.advise("lenet5"), "advise takes a Net, got 'lenet5'"),
    ],
)
def test_mistakes_are_explained(mistake: Callable[[], object], said: str) -> None:
    with pytest.raises(nw.NetwrightError, match=re.escape(said)):
        mistake()


def test_a_name_stays_what_it_is_when_its_module_is_loaded() -> None:
    """`netwright.building.build` is the function, whoever imported the module of that name."""
    for name in MODULES:
        importlib.import_module(name)
    shared = 0
    for name in MODULES:
        package = sys.modules[name]
        if isinstance(package, Lazy):
            for own in package.__all__:
                assert not inspect.ismodule(getattr(package, own)), f"{name}.{own}"
                shared += f"{name}.{own}" in sys.modules
    assert shared
