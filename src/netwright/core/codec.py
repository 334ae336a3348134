"""Nets as JSON and back, and the hash that identifies an architecture."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, cast

from netwright.core.graph import Node
from netwright.core.kinds import shown
from netwright.core.net import Net
from netwright.core.spec import SPECS, Spec
from netwright.core.text import plain
from netwright.core.wiring import Wiring
from netwright.errors import CodecError, NetwrightError, nearest

__all__ = ["SCHEMA", "decode", "decode_net", "digest", "encode", "to_json"]

SCHEMA = 1
"""Raised when a reader of the old text would misread the new."""
RENAMED = {"FactorizedReduction": "FactorisedReduction"}
"""Specs by the names they once had: JSON that says them is read, and hashes are made of them, so
that an architecture keeps its identity."""
_FIRST_NAMES = {new: old for old, new in RENAMED.items()}


def encode(value: Any, *, defaults: bool = True) -> Any:
    """A field's value as JSON's own types: `{"spec": "Conv", "width": 64, ...}` for a spec.

    Without `defaults`, for the hash, fields that have their default value are left out and
    specs go by their first name.
    """
    if isinstance(value, Spec):
        names = [name for name in value.field_names if name != "parts"]
        if not defaults:
            names = [name for name in names if not _is_default(value, name)]
        fields = {name: encode(getattr(value, name), defaults=defaults) for name in names}
        if isinstance(value, Wiring):
            fields["parts"] = [
                [name, encode(part, defaults=defaults)] for name, part in value.parts
            ]
        name = type(value).__name__
        return {"spec": name if defaults else _FIRST_NAMES.get(name, name), **fields}
    if isinstance(value, tuple):
        return [encode(item, defaults=defaults) for item in cast("tuple[Any, ...]", value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise CodecError(f"{value!r} cannot be written as JSON; nets with symbols have no JSON")


def _is_default(spec: Spec, name: str) -> bool:
    return name in spec.defaults and getattr(spec, name) == spec.defaults[name]


def decode(value: Any, where: str = "spec") -> Any:
    """The inverse of `encode`, of specs whose modules are loaded; `where` is told in errors."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return tuple(decode(item, f"{where}[{i}]") for i, item in enumerate(items))
    if not isinstance(value, dict):
        return value
    given = dict(cast("dict[str, Any]", value))
    kind = _kind(given.pop("spec", None), where)
    if "parts" in given:
        given["parts"] = _parts(given["parts"], where)
    needed = {*kind.field_names} - kind.defaults.keys()
    unknown, missing = given.keys() - {*kind.field_names}, needed - given.keys()
    if unknown or missing:
        fault = (
            f"no field {shown(min(unknown))}" if unknown else f"field {min(missing)!r} is missing"
        )
        raise CodecError(f"{_at(where)}: {kind.__name__} has {fault}; "
                         f"it has: {', '.join(kind.field_names)}")  # fmt: skip
    fields = {name: decode(item, f"{where}.{name}") if name != "parts" else item
              for name, item in given.items()}  # fmt: skip
    return _make(kind, {**kind.defaults, **fields}, where)


def _at(where: str) -> str:
    """The place as messages show it: names may be any text, and as many as the text has."""
    return plain(where if len(where) <= 200 else "..." + where[-200:])


def _kind(name: Any, where: str) -> type[Spec]:
    if not isinstance(name, str) or RENAMED.get(name, name) not in SPECS:
        raise CodecError(f"{_at(where)}: {nearest('spec', str(name), SPECS)}")
    return SPECS[RENAMED.get(name, name)]


def _parts(parts: Any, where: str) -> tuple[tuple[str, Spec], ...]:
    try:
        pairs = [(str(name), part) for name, part in parts]
    except (TypeError, ValueError):
        raise CodecError(f"{_at(where)}: parts is not a list of [name, spec] pairs") from None
    decoded = [(name, decode(part, f"{where}.{name}")) for name, part in pairs]
    for name, part in decoded:
        if not isinstance(part, Spec):
            raise CodecError(f"{_at(f'{where}.{name}')}: {shown(part)} is no spec")
    return tuple(decoded)


def _make(kind: type[Spec], fields: dict[str, Any], where: str) -> Spec:
    """An instance with exactly these fields, checked as its constructor would."""
    spec = object.__new__(kind)
    for name in kind.field_names:
        object.__setattr__(spec, name, fields[name])
    try:
        spec.__post_init__()
    except NetwrightError as error:
        raise CodecError(f"{_at(where)}: {error}") from None
    return spec


def digest(net: Net) -> str:
    """SHA-256 over the canonical JSON of spec and input, in 16 hexadecimal digits.

    Fields at their default are left out, so that a field which a later version adds does not
    give every known net another identity. A default that changes raises `SCHEMA`.
    """
    spec = encode(net.spec, defaults=False)
    text = json.dumps([spec, list(net.input)], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def to_json(net: Net, indent: int | None = None) -> str:
    """A net as JSON; see `Net.to_json`."""
    head = {"schema": SCHEMA, "name": net.name, "input": list(net.input), "hash": digest(net)}
    return json.dumps({**head, "spec": encode(net.spec)}, indent=indent)


def decode_net(text: str) -> Net:
    """The net that `to_json` wrote, of specs whose modules are loaded; see `from_json`."""
    try:
        given = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is the former
        raise CodecError(f"this is no JSON: {error}") from None
    if not isinstance(given, dict) or not {"schema", "input", "spec"} <= given.keys():
        raise CodecError('this JSON is no net; a net has "schema", "input" and "spec"')
    record = cast("dict[str, Any]", given)
    schema, size = record["schema"], record["input"]
    if type(schema) is not int or not 1 <= schema <= SCHEMA:
        raise CodecError(f"this net is of schema {shown(schema)}, we read up to {SCHEMA}; "
                         "upgrade netwright")  # fmt: skip
    if not isinstance(size, list) or not all(
        type(n) is int and n > 0 for n in cast("list[Any]", size)
    ):
        raise CodecError(f"input {shown(size)} is no shape; wanted something like [3, 224, 224]")
    try:
        spec = decode(record["spec"])
    except RecursionError:
        raise CodecError("specs or lists are nested too deep") from None
    if not isinstance(spec, Spec) or isinstance(spec, Node):
        raise CodecError("spec is no unit, block or wiring")
    try:
        net = Net(spec, tuple(cast("list[int]", size)), str(record.get("name", "net")))
    except NetwrightError as error:
        raise CodecError(str(error)) from None
    if "hash" in record and record["hash"] != digest(net):
        raise CodecError(
            f"the net was changed after it was written: it says hash {shown(record['hash'])}, "
            f"it is {digest(net)}; remove the hash from the file to accept the change"
        )
    return net
