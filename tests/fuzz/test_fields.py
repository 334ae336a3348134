"""Every field of every spec, with what it should not hold."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import pytest
from specs import SHAPES, by_class
from texts import NUMBERS, deep, is_told, value

import netwright as nw
from netwright.core.codec import decode, encode
from netwright.core.spec import SPECS, Spec
from netwright.core.wiring import Wiring

WRONG = (
    -1, 10**9 + 0.5, 10**20, float("inf"), float("nan"), True, None, "\x1b[2J", "x" * 2000, [],
    [[]], {}, deep(80), [10**20], ["", 1], {"spec": "ReLU"}, {"spec": "Conv", "width": 8},
)  # fmt: skip
"""What every field of every spec is given once."""


def made(record: dict[str, Any]) -> Spec | None:
    """The spec of a record, planned where it fits; None where it is refused."""
    try:
        spec = decode(record)
    except nw.NetwrightError as error:
        is_told(error)
        return None
    assert isinstance(spec, Spec)
    assert decode(encode(spec)) == spec
    for shape in SHAPES:
        try:
            nw.Net(spec, shape).plan()
        except nw.NetwrightError as error:
            is_told(error)
    return spec


@pytest.mark.parametrize("name", list(by_class()))
def test_no_value_of_a_field_breaks_a_spec(name):
    record = encode(by_class()[name][0])
    for field in record.keys() - {"spec"}:
        for wrong in WRONG:
            made({**copy.deepcopy(record), field: wrong})


def test_fields_are_held_to_their_kind(fuzz):
    specs = [spec for some in by_class().values() for spec in some]

    def case(random: Random) -> None:
        record = encode(random.choice(specs))
        fields = [name for name in record if name != "spec"]
        for name in random.sample(fields, min(len(fields), random.choice((1, 1, 2, 3)))):
            record[name] = random.choice((random.choice(NUMBERS), value(random)))
        made(record)

    fuzz(300, case)


def test_constructors_hold_them_too(fuzz):
    """Fields given from Python, which are no values of JSON."""
    odd = (object(), b"bytes", 1j, {1, 2}, range(3), (1, b""), len, nw.Conv, Ellipsis)
    names = [name for name in by_class() if not issubclass(SPECS[name], Wiring)]

    def case(random: Random) -> None:
        kind = SPECS[random.choice(names)]
        if not kind.field_names or kind.__name__ in ("Choice", "Node"):  # given in a row
            return
        spec = random.choice(by_class()[kind.__name__])
        fields = dict(zip(kind.field_names, spec.values(), strict=True))
        fields[random.choice(kind.field_names)] = random.choice(odd)
        with pytest.raises(nw.SpecError) as caught:
            kind(**fields)
        is_told(caught.value)

    fuzz(300, case)
