"""Texts that are almost nets: read and planned, or refused in one sentence."""

from __future__ import annotations

import copy
import json
from functools import cache
from random import Random
from typing import Any

from specs import by_class
from texts import NAMES, NUMBERS, deep, is_told, value

import netwright as nw
from netwright.core.codec import encode

NETS = ("lenet5", "squeezenet1_0_cifar10", "googlenet", "unet", "conv_lstm", "cnn_lstm")


@cache
def _specs() -> list[Any]:
    """Records of small specs, one or more a class."""
    return [encode(spec) for specs in by_class().values() for spec in specs]


@cache
def _nets() -> list[dict[str, Any]]:
    return [json.loads(nw.net(name).to_json()) for name in NETS if name in nw.nets()]


def _places(record: Any) -> list[tuple[Any, Any]]:
    """Every place in a record where a value stands: what holds it, and its key."""
    places: list[tuple[Any, Any]] = []
    items = record.items() if isinstance(record, dict) else enumerate(record)
    for key, inner in [*items] if isinstance(record, dict | list) else []:
        places.append((record, key))
        if isinstance(inner, dict | list):
            places += _places(inner)
    return places


def _mutated(random: Random, record: dict[str, Any]) -> dict[str, Any]:
    record = copy.deepcopy(record)
    record.pop("hash", None)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        holder, key = random.choice(_places(record))
        match random.randrange(8):
            case 0 | 1:
                holder[key] = random.choice(NUMBERS)
            case 2 | 3:
                holder[key] = value(random)
            case 4:
                holder[key] = copy.deepcopy(random.choice(_specs()))
            case 5:
                holder[key] = deep(random.choice((5, 60, 300)), holder[key])
            case 6 if isinstance(holder, dict):
                holder[random.choice(NAMES)] = holder.pop(key)
            case _:
                other, name = random.choice(_places(record))
                holder[key] = copy.deepcopy(other[name])
    return record


def _text(random: Random, record: dict[str, Any]) -> str:
    text = json.dumps(record)
    if random.randrange(5) == 0:  # a text that is cut, or has other characters in it
        at = random.randrange(len(text))
        wrong = random.choice(("", "\x00", "\x1b", '"', "}", "9" * 5000, "\ud800"))
        text = text[:at] + wrong + text[at + random.choice((0, 1, len(text))) :]
    return text


def test_json_is_read_or_refused(fuzz):
    def case(random: Random) -> None:
        small = {"schema": 1, "name": "net", "input": [8, 16, 16]}
        record = random.choice(
            [{**small, "spec": copy.deepcopy(random.choice(_specs()))}, random.choice(_nets())]
        )
        try:
            text = _text(random, _mutated(random, record))
        except RecursionError:  # nested deeper than we can write it, let alone read
            return
        try:
            net = nw.from_json(text)
        except nw.NetwrightError as error:
            is_told(error)
            return
        assert nw.from_json(net.to_json()) == net
        assert net.name.isprintable()
        try:
            net.plan()
        except nw.NetwrightError as error:
            is_told(error)

    fuzz(300, case)


def test_any_bytes_are_refused(fuzz):
    def case(random: Random) -> None:
        text = json.dumps(value(random)) if random.random() < 0.7 else random.choice(NAMES) * 9
        try:
            nw.from_json(text)
        except nw.CodecError as error:
            is_told(error)

    fuzz(200, case)
