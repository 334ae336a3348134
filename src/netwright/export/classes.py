"""The source of a class: what it makes, and how values flow through it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netwright.core.text import documented, quoted
from netwright.export.expression import (
    expression,
    is_list,
    leading,
    list_items,
    literal,
    module_list,
)
from netwright.export.forward import Forward, below
from netwright.export.layout import Brackets, laid, statement
from netwright.export.params import Param
from netwright.export.tree import REQUIRED, Composite, Option, Use, is_attribute

__all__ = ["HELPERS", "class_lines", "function_lines"]

HELPERS = {
    "chain": '''def chain(**modules: nn.Module) -> nn.Sequential:
    """Named modules, one after another."""
    return nn.Sequential(OrderedDict(modules))''',
    "group": '''def group(**modules: nn.Module) -> nn.ModuleDict:
    """Named modules that the forward of their owner wires."""
    return nn.ModuleDict(modules)''',
}
"""Functions that the classes call."""


def class_lines(
    name: str, about: str, pattern: Composite, params: list[Param], stars: bool = False
) -> list[str]:
    """The source of a class that makes a pattern."""
    shared = _shared(pattern)
    inputs = ["*xs"] if stars else ["x"] if pattern.inputs == 1 else [
        f"x{i}" for i in range(pattern.inputs)]  # fmt: skip
    chain = pattern.is_module and not stars
    parts = [(part, node) for part, node in pattern.parts if node.is_stored]
    listed = leading(pattern)
    base = "nn.Sequential" if chain else "nn.ModuleList" if listed else "nn.Module"
    lines = [f"class {name}({base}):", *_docstring(about, 4), ""]
    own = ("self", *map(_parameter, params))
    lines += laid(Brackets("def __init__(", own, ") -> None:"), 4)
    lines += _body(pattern, parts, shared, chain, listed)
    if _frozen(pattern, "self"):
        lines += ["", f"    def train(self, mode: bool = True) -> {name}:"]
        lines += ["        super().train(mode)"]
        lines += [f"        {access}.eval()" for access in _frozen(pattern, "self")]
        lines += ["        return self"]
    if chain:
        return lines
    forward = Forward().body(pattern, inputs)
    given = ("self", *[f"{x}: Tensor" for x in inputs])
    tensors = "Tensor" if pattern.outputs == 1 else "list[Tensor]"
    tapped = any("aux: dict" in line for line in forward)
    result = "Tensor | dict[str, Tensor]" if tapped else tensors
    lines += ["", *laid(Brackets("def forward(", given, f") -> {result}:"), 4), *forward]
    return lines


def function_lines(name: str, about: str, pattern: Any, params: list[Param]) -> list[str]:
    """The source of a function that makes what one call makes."""
    call = Brackets(f"def {name}(", tuple(map(_parameter, params)), ") -> nn.Module:")
    lines = [*laid(call, 0), *_docstring(about, 4)]
    return [*lines, *statement("return ", expression(pattern, {}), 4)]


def _docstring(about: str, indent: int) -> list[str]:
    pad = " " * indent
    lines = documented(about).splitlines()
    if len(lines) <= 1:
        return [f'{pad}"""{"".join(lines)}"""']
    return [f'{pad}"""{lines[0]}', *[f"{pad}{line}".rstrip() for line in lines[1:]], f'{pad}"""']


def _parameter(param: Param) -> str:
    default = "" if param.default is REQUIRED else f" = {literal(param.default)}"
    return f"{param.name}: {param.annotation}{default}"


def _shared(pattern: Any) -> dict[str, str]:
    """A variable for every module of several uses, those inside others first."""
    keys = [part.key for part in _uses(pattern)]
    several = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
    return {key: f"shared{i}" for i, key in enumerate(several, 1)}


def _uses(pattern: Any) -> Iterator[Use]:
    """The uses of shared modules in a pattern, behind those in their bodies."""
    if isinstance(pattern, Use):
        yield from _uses(pattern.body)
        yield pattern
    elif isinstance(pattern, Composite):
        for _, part in pattern.parts:
            yield from _uses(part)


def _body(
    pattern: Composite,
    parts: list[tuple[str, Any]],
    shared: dict[str, str],
    chain: bool,
    listed: list[str],
) -> list[str]:
    """The statements of `__init__`."""
    lines, question = list[str](), ""
    uses = {part.key: part for part in _uses(pattern)}
    if not listed:
        lines.append("        super().__init__()")
    written = dict[str, str]()
    for key, variable in shared.items():
        lines += statement(f"{variable} = ", expression(uses[key].body, written), 8)
        written[key] = variable
    if listed:
        items = list_items(pattern, shared)
        call = Brackets("super().__init__(", tuple(items))
        lines += laid(call if chain else module_list("super().__init__(", items), 8)
    for name, node in pattern.parts:
        if isinstance(node, Option) and node.skips:
            lines.append(f"        self.{name} = {node.present.text}")
        elif (name, node) in parts and name not in listed:
            added = _attribute(name, node, shared, chain)
            same = bool(lines) and added[0] == question and lines[-1].startswith(" " * 12)
            question = added[0]
            lines += added[1:] if same else added
    lines += [f"        {access}.requires_grad_(False)" for access in _frozen(pattern, "self")]
    lines += [f"        {access}.eval()" for access in _frozen(pattern, "self")]
    return lines


def _attribute(name: str, node: Any, shared: dict[str, str], chain: bool) -> list[str]:
    if not is_attribute(name):
        doc = expression(node, shared)
        return laid(Brackets("self.add_module(", (quoted(name), doc)), 8)
    if chain and isinstance(node, Option):
        lines = statement(f"self.{name} = ", expression(node.node, shared), 12)
        return [f"        if {node.present.text}:", *lines]
    return statement(f"self.{name} = ", expression(node, shared), 8)


def _frozen(pattern: Any, access: str) -> list[str]:
    """How the parts are reached that do not learn; those that are no modules have nothing to."""
    if isinstance(pattern, Use):
        return _frozen(pattern.body, access)
    if not isinstance(pattern, Composite) or not pattern.is_stored:
        return []
    if pattern.frozen:
        return [access]
    listed = bool(leading(pattern)) if access == "self" else is_list(pattern)
    inner = [(below(access, name, listed), part) for name, part in pattern.parts]
    return [frozen for place, part in inner for frozen in _frozen(part, place)]
