"""The public face: names, arrows, weight of an import."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import netwright as nw
from netwright import errors
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
        if not kind.__module__.startswith("netwright."):
            continue
        assert kind.__doc__, name
        for method, value in vars(kind).items():
            if inspect.isfunction(value) and not method.startswith("_"):
                assert inspect.getdoc(getattr(kind, method)), f"{name}.{method}"


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
