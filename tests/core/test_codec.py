"""Nets as text: what is refused, and how."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import netwright as nw
from netwright.errors import CodecError


def changed(**fields: object) -> str:
    return json.dumps({**json.loads(nw.net("lenet5").to_json()), **fields})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("[]", "no net"),
        ("{}", '"schema"'),
        (changed(schema=99), "upgrade netwright"),
        (changed(schema="1"), "schema '1'"),
        (changed(input=[3, 0, 4]), r"\[3, 0, 4\]"),
        (changed(input="3x4"), "no shape"),
        (changed(spec=3), "no unit"),
        (changed(spec={"spec": "Cnov"}), "near: Conv"),
        (changed(spec={"width": 3}), "'None'"),
        (changed(spec={"spec": "Linear", "bias": True}), "'width' is missing"),
        (changed(spec={"spec": "Linear", "width": 3, "bias": True, "x": 1}), "no field 'x'"),
        (changed(spec={"spec": "Linear", "width": -3, "bias": True}), "width is -3"),
        (changed(spec={"spec": "Linear", "width": {"a": 1}, "bias": True}), "spec.width"),
        (changed(spec={"spec": "Sequential", "parts": 3}), "pairs"),
        (changed(spec={"spec": "Sequential", "parts": [["a", 3]]}), "3 is no spec"),
        (changed(spec={"spec": "Sequential", "parts": [["forward", {"spec": "ReLU"}]]}), "forward"),
        (changed(hash="0" * 16), "changed after it was written"),
        (changed(input=[1, 64, 64]), "remove the hash"),
    ],
)
def test_bad_text_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(CodecError, match=told) as caught:
        nw.from_json(text)
    assert "\n" not in str(caught.value)


def test_a_change_by_hand_is_accepted_without_the_hash() -> None:
    record = json.loads(nw.net("lenet5").to_json())
    del record["hash"]
    record["input"] = [1, 64, 64]
    assert nw.from_json(json.dumps(record)).input == (1, 64, 64)


def test_every_field_is_written() -> None:
    record = json.loads(nw.net("resnet50").to_json())
    block = dict(record["spec"]["parts"])["stage1"]["parts"][0][1]
    assert set(block) == {"spec", *nw.Bottleneck(1).field_names}
    assert record["schema"] == 1


def test_a_field_that_an_older_version_did_not_know_has_its_default() -> None:
    record = json.loads(nw.net("lenet5").to_json())
    parts = dict(record["spec"]["parts"])
    del parts["c1"]["border"], parts["c1"]["groups"]
    assert nw.from_json(json.dumps(record)) == nw.net("lenet5")


def test_hash_is_the_same_in_another_process_and_does_not_know_the_name() -> None:
    net = nw.net("resnet18")
    code = "import netwright as nw; print(nw.net('resnet18').but(name='other').hash)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert told.stdout.strip() == net.hash
    assert net.but(input=(3, 96, 96)).hash != net.hash


def test_unknown_values_are_not_written() -> None:
    sympy = pytest.importorskip("sympy")
    with pytest.raises(CodecError, match="symbols"):
        nw.Net(nw.Conv(sympy.Symbol("C")), (3, 4, 4)).to_json()


def test_a_spec_is_read_by_the_name_it_once_had():
    old = (
        '{"schema": 1, "name": "half", "input": [8, 9, 9], "hash": "be54ccc5a0e9e451", "spec": '
        '{"spec": "FactorizedReduction", "width": 8, "norm": '
        '{"spec": "BatchNorm", "affine": true, "eps": 1e-05, "momentum": 0.1}}}'
    )
    net = nw.Net(nw.FactorisedReduction(8), (8, 9, 9), "half")
    assert nw.from_json(old) == net
    assert net.hash == "be54ccc5a0e9e451"
    assert '"FactorisedReduction"' in net.to_json()
    with pytest.raises(nw.CodecError, match="near: FactorisedReduction"):
        nw.from_json(old.replace("FactorizedReduction", "FactorisedReductions"))
