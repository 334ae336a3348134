"""The spaces that texts stand for, those of the user's own code among them; their options."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import netwright as nw
from netwright import Choice, Linear, Net, Sequential
from netwright.space import registry
from netwright.space.named import space_of

CODE = """
import netwright as nw

def make(): return nw.space("nasbench201", width=8)
def wide(width): return nw.space("nasbench201", width=width)
def broken(): return 1 / 0
def number(): return 5
notspace = 5
net = nw.Net(nw.Sequential(fc=nw.Linear(nw.Choice(2, 3))), (4,), "mine")
"""
CHOICES = Net(Sequential(fc=Linear(Choice(2, 3))), (4,), "mine")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module in the current folder, from which nothing is imported unless we see to it."""
    name = "own_spaces"
    (tmp_path / f"{name}.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_spaces_of_ones_own_code_are_found_in_the_current_folder(own: str) -> None:
    assert space_of(f"{own}:make").size == 5**6
    assert [*space_of(f"{own}:net").codes()] == ["0", "1"]


@pytest.mark.parametrize(("name", "wanted"), [
    ("notspace", "gives 5, wanted a Space, a Net with choices, or a function that makes one"),
    ("number", "gives 5, wanted a Space, a Net with choices, or a function that makes one"),
    ("wide", "cannot be called without arguments: missing a required argument: 'width'"),
    ("broken", r"ZeroDivisionError: division by zero \(.*own_spaces.py:6"),
    ("mak", "no attribute of own_spaces is called 'mak'; near: make"),
])  # fmt: skip
def test_own_code_that_makes_no_space_is_told_in_a_line(own: str, name: str, wanted: str) -> None:
    with pytest.raises(nw.SearchError, match=wanted) as error:
        space_of(f"{own}:{name}")
    assert "\n" not in str(error.value)


def test_files_are_no_modules(tmp_path: Path) -> None:
    with pytest.raises(nw.NetwrightError, match=r"name its code as mine:make"):
        space_of("mine.py:make")
    file = tmp_path / "net.json"
    file.write_text(CHOICES.to_json())
    assert space_of(str(file)).size == 2
    with pytest.raises(nw.SpecError, match="options width are for a space by its name"):
        space_of(f"{file}:width=3")
    for content in (b"\xff\xfe", b"{}"):
        file.write_bytes(content)
        with pytest.raises(nw.SearchError, match=r"net\.json holds no net with choices: "):
            space_of(str(file))


def test_options_are_given_in_the_text_or_as_keywords(own: str) -> None:
    one, other = nw.space("nasbench201:width=8"), nw.space("nasbench201", width=8)
    assert one.net("432121") == other.net("432121") != nw.space("nasbench201").net("432121")
    code = nw.space("darts").example()
    mixed = nw.space("darts:depth=3", width=4).net(code)
    assert mixed == nw.space("darts", depth=3, width=4).net(code)
    assert nw.space(f"{own}:make").size == 5**6
    with pytest.raises(nw.SearchError, match="width of nasbench201:width=8 is given twice"):
        nw.space("nasbench201:width=8", width=9)
    with pytest.raises(nw.SpecError, match="options width are for a space by its name"):
        nw.space(f"{own}:make", width=9)


@pytest.mark.parametrize("name", nw.spaces())
def test_options_of_another_kind_are_refused(name: str) -> None:
    for option in registry.options(name):
        with pytest.raises(nw.NetwrightError, match=rf"{name}: {option} is {{}}, wanted "):
            nw.space(name, **{option: {}})


@pytest.mark.parametrize(("given", "wanted"), [
    ({"widht": 3}, "no option of nasbench201 is called 'widht'; near: width"),
    ({"width": "x"}, "nasbench201: width is 'x', wanted an integer of at least 1"),
    ({"width": True}, "nasbench201: width is True, wanted an integer"),
    ({"depth": 2.5}, "nasbench201: depth is 2.5, wanted an integer"),
    ({"input": 3}, "nasbench201: input is 3, wanted"),
])  # fmt: skip
def test_wrong_options_name_what_was_wanted(given: dict[str, object], wanted: str) -> None:
    with pytest.raises(nw.NetwrightError, match=wanted):
        nw.space("nasbench201", **given)


def test_lists_are_as_good_as_tuples() -> None:
    lists = nw.space("mobile", stages=[[24, 2, 2]], kernels=[3, 5], input=[3, 32, 32])
    tuples = nw.space("mobile", stages=((24, 2, 2),), kernels=(3, 5), input=(3, 32, 32))
    assert [digit.options for digit in lists.digits] == [digit.options for digit in tuples.digits]
    assert nw.space("darts", width=4, classes=3).options == {"width": 4, "classes": 3}


def test_a_space_or_a_net_takes_no_options() -> None:
    for space in (CHOICES, nw.space(CHOICES)):
        assert nw.space(space).size == 2
        with pytest.raises(nw.SpecError, match="options width are for a space by its name; got"):
            nw.space(space, width=3)
