"""What fields may hold, and what a net may: told when a spec is made, or planned."""

import json
from fractions import Fraction
from typing import Literal

import pytest

import netwright as nw
from netwright.core.bounds import DEEPEST, PARTS, SEEN
from netwright.core.spec import Block, Spec
from netwright.errors import CodecError, ShapeError, SpecError


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: nw.Conv(4, kernel=10**9), "kernel is 1000000000, wanted an integer of at least 1"),
        (lambda: nw.Conv(4, dilation=10**20), "at most 65,536, or one an axis"),
        (lambda: nw.Conv(4, kernel=()), "kernel is ()"),
        (lambda: nw.Conv("4"), "width is '4', wanted an integer of at least 1"),
        (lambda: nw.Conv(True), "width is True"),
        (lambda: nw.Conv(4.0), "width is 4.0"),
        (lambda: nw.Conv(4, padding=((1, 2, 3),)), "padding is ((1, 2, 3),), wanted 'valid'"),
        (lambda: nw.Conv(4, bias=1), "bias is 1, wanted True or False"),
        (lambda: nw.Stage(nw.ConvNormAct(4), 10**9), "depth is 1000000000"),
        (lambda: nw.WaveletPool(10**6), "levels is 1000000"),
        (lambda: nw.AttentionModule(64), "depth is 64, wanted at most"),
        (lambda: nw.ASPP(8, 3), "rates is 3, wanted (an integer of at least 0, ...)"),
        (lambda: nw.MlpConv(8), "widths is 8"),
        (lambda: nw.LeakyReLU(float("inf")), "slope is inf"),
        (lambda: nw.LeakyReLU(float("nan")), "slope is nan"),
        (lambda: nw.LeakyReLU(None), "slope is None"),
        (lambda: nw.BasicBlock(8, attention=nw.SqueezeExcite), "attention is <class"),
        (lambda: nw.BasicBlock(8, shortcut="\x1b[2J"), "a text that can be printed"),
        (lambda: nw.Dropout(Fraction(1, 2)), "Dropout"),
        (lambda: nw.Sequential(**{"a\n": nw.ReLU()}), "a part's name is a word without dots"),
        (lambda: nw.Sequential(**{"a" * 200: nw.ReLU()}), "a part's name is a word"),
        (lambda: nw.Shared(nw.ReLU(), "\x00"), "key is '\\x00'"),
        (lambda: nw.Net(nw.ReLU(), (3,), name=3), "a net's name is a text"),
    ],
)
def test_a_field_is_held_to_its_kind_when_a_spec_is_made(make, said):
    with pytest.raises(SpecError) as caught:
        make()
    assert said in str(caught.value)


def test_a_class_of_ones_own_is_held_too():
    class Fancy(Block, abstract=True):
        body: Spec
        widths: tuple[int, ...] = (1,)
        kernel: int | None = None
        ratio: float = 0.5
        mode: Literal["a", "b"] = "a"
        rest: list[int] = ()

        def expand(self, x):
            return self.body

    assert Fancy(nw.ReLU(), [2, 3], 5, 1).widths == (2, 3)
    for fields in (
        {"widths": 3},
        {"widths": ("a",)},
        {"kernel": 0},
        {"ratio": "a"},
        {"body": 1},
        {"mode": "c"},
    ):
        with pytest.raises(SpecError, match=f"Fancy: {min(fields)} is"):
            Fancy(**{"body": nw.ReLU(), **fields})


def test_a_part_may_be_called_self():
    assert nw.Sequential(self=nw.ReLU()).put(self=nw.Tanh()).names == ("self",)


def nested(depth, core):
    for _ in range(depth):
        core = nw.Sequential(core)
    return core


def test_specs_are_nested_within_reason():
    assert nw.Net(nested(48, nw.ReLU()), (3,)).plan().output == (3,)
    with pytest.raises(SpecError, match="nested at most 50 deep"):
        nested(60, nw.ReLU())


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (nw.Stage(nw.Stage(nw.Identity(), 1000), 1000), f"at most {PARTS:,} parts"),
        (nw.Conv(4, 60000, dilation=60000), f"positions of an axis, at most {SEEN:,}"),
        (nw.Sequential(*[nw.Conv(4, 3, 65536)] * 99), f"at most {SEEN:,}"),
        (nw.Sequential(*[nw.Upsample(1000)] * 9), "elements"),
    ],
)
def test_what_a_net_holds_has_a_bound(spec, said):
    with pytest.raises(ShapeError) as caught:
        nw.Net(spec, (4, 32, 32)).plan()
    assert said in str(caught.value)


class Nest(Block, abstract=True):
    """A block in itself, for ever."""

    def expand(self, x):
        return nw.Sequential(inner=self)


def test_a_block_that_never_ends_is_refused():
    with pytest.raises(ShapeError, match=f"nested at most {DEEPEST} deep"):
        nw.Net(Nest(), (3, 8, 8)).plan()


def text(**changes):
    record = json.loads(nw.Net(nw.Conv(4), (3, 8, 8)).to_json())
    del record["hash"]
    return json.dumps({**record, **changes})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (text().replace('"width": 4', '"width": ' + "9" * 5000), "this is no JSON"),
        (text().replace('"width": 4', '"width": Infinity'), "Infinity is no number of JSON"),
        (text().replace('"width": 4', '"width": NaN'), "NaN is no number"),
        (text().replace('"width": 4', '"width": 1e400'), "width is inf"),
        (text().replace('"width": 4', f'"width": {"[" * 500}{"]" * 500}'), "nested too deep"),
        ("[" * 100000, "this is no JSON"),
        (text(schema=True), "schema True"),
        (text(schema="\x1b"), "schema '\\x1b'"),
        (text(spec={"spec": "Sequential", "parts": [["\x1b", 3]]}), "spec.\\x1b: 3 is no spec"),
        (text(spec={"spec": "ReLU", "a" * 9000: 1}), "ReLU has no field 'aaa"),
    ],
)
def test_texts_that_are_no_nets(given, said):
    with pytest.raises(CodecError) as caught:
        nw.from_json(given)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_a_name_is_kept_escaped():
    net = nw.from_json(text(name='a\x1b[31m\n"""\ud800'))
    assert net.name == 'a\\x1b[31m\\n"""\\ud800'
    assert nw.from_json(net.to_json()) == net
