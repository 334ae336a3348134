"""A space of one's own: what it may leave out, and nets that it cannot make."""

from __future__ import annotations

import random

import pytest

import netwright as nw
from netwright.errors import BudgetError, SpecError
from netwright.space import Digit, Space


class Mine(Space):
    """Kernels and widths of one convolution; the largest kernel is larger than the image."""

    def __init__(self, kernels=(1, 3, 41), widths=(4, 8), size=16):
        super().__init__("mine", [Digit("kernel", kernels), Digit("width", widths)])
        self.size_of_image = size

    def build(self, choices):
        kernel, width = (d.options[c] for d, c in zip(self.digits, choices, strict=True))
        if width == 7:
            raise ValueError("no width of 7")
        spec = nw.Sequential(nw.Conv(width, kernel, padding=0), nw.GlobalAvgPool(), nw.Linear(3))
        return nw.Net(spec, (3, self.size_of_image, self.size_of_image), f"mine-{choices}")


def test_its_nets_are_known_again():
    space = Mine()
    for code in space.codes():
        assert space.code(space.net(code)) == code
    with pytest.raises(
        SpecError, match=r"resnet18 is no net that mine has made.*Mine has a method"
    ):
        space.code(nw.net("resnet18"))


@pytest.mark.parametrize(
    "space", [Mine(), Mine(kernels=(1, 3), widths=(4, 7, 8))], ids=["ShapeError", "ValueError"]
)
def test_codes_whose_nets_cannot_be_made_are_left_out(space):
    assert len(list(space.codes())) == len(space.functions) == 4
    study = nw.search(space, lambda net: -net.plan().macs, trials=50, seed=1)
    assert len(study.trials) == 4
    assert {trial.state for trial in study.trials} == {"complete"}
    draw = random.Random(0)
    assert all(space.net(space.sample(draw)).plan() for _ in range(20))


def test_a_space_without_a_net_says_why():
    with pytest.raises(
        BudgetError, match=r"mine: no code was found whose net can be planned; .*41"
    ):
        nw.search(Mine(kernels=(41,)), lambda net: 0.0, trials=3)


def test_other_faults_of_a_space_are_its_own():
    space = Mine()
    space.build = lambda choices: 1 / 0
    with pytest.raises(ZeroDivisionError):
        nw.search(space, lambda net: 0.0, trials=3)
