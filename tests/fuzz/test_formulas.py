"""Texts of specs and sizes, most of them wrong: a formula, or one sentence."""

from __future__ import annotations

from random import Random

from specs import by_class
from texts import NAMES, is_told

import netwright as nw
from netwright.symbols.expression import read
from netwright.symbols.formulas import formula, symbol

SYMBOLS = ("N", "C", "K", "S", "H", "W")
ATOMS = (
    "0", "1", "2", "3", "0.5", "-1", "9" * 30, "1e308", "1e999", "1j", "None", "True", "...",
    "'same'", "''", "b'x'", "f'{N}'", "()", "[]", "{}", "*N", "N.real", "lambda: 1",
)  # fmt: skip
FIELDS = ("width", "kernel", "stride", "act", "depth", "x")
INPUTS = (
    ("C", "H", "W"), ("16*C", "H", "W"), ("C", "L"), ("F",), (3, "2*H", 5), ("C", "T", "H", "W"),
    ("C/2", "H", "H"),
)  # fmt: skip
OPERATORS = ("+", "-", "*", "/", "//", "**", "%", "@", "<", " if N else ", " ")


def text_of(random: Random, depth: int = 0) -> str:
    """A text with the shape of an expression."""
    kind = random.randrange(10)
    if kind < 4 or depth > 4:
        return random.choice((random.choice(SYMBOLS), random.choice(SYMBOLS), random.choice(ATOMS)))
    if kind < 7:
        name = random.choice((*by_class(), "Conv", "open"))
        given = [text_of(random, depth + 1) for _ in range(random.choice((0, 1, 1, 2, 3)))]
        words = random.sample(FIELDS, random.choice((0, 0, 1, 2)))
        named = [f"{word}={text_of(random, depth + 1)}" for word in words]
        return f"{name}({', '.join(given + named)})"
    if kind < 9:
        a, b = text_of(random, depth + 1), text_of(random, depth + 1)
        return f"{a}{random.choice(OPERATORS)}{b}"
    return f"({text_of(random, depth + 1)}, {text_of(random, depth + 1)})"


def test_formulas_are_given_or_refused(fuzz):
    def case(random: Random) -> None:
        text = text_of(random)
        if random.random() < 0.1:
            at = random.randrange(len(text) + 1)
            text = text[:at] + random.choice(NAMES) + text[at:]
        sizes = random.choice((*INPUTS, (text_of(random, 3), "H", "W")))
        try:
            formula(text, sizes)
        except nw.NetwrightError as error:
            is_told(error)

    fuzz(120, case)


def test_every_spec_has_formulas_or_says_what_it_wants(fuzz):
    """Fields of every class, some of them symbols."""
    specs = [spec for some in by_class().values() for spec in some]

    def case(random: Random) -> None:
        spec = random.choice(specs)
        names = [name for name, value in zip(spec.field_names, spec.values(), strict=True)
                 if type(value) is int]  # fmt: skip
        text = repr(spec)
        for name in random.sample(names, min(len(names), random.choice((0, 1, 2)))):
            text = text.replace(f"{name}={getattr(spec, name)}", f"{name}={random.choice(SYMBOLS)}")
        try:
            formula(text, random.choice((("C", "H", "W"), ("64*C", "32*H", "32*W"), ("C", "L"))))
        except nw.NetwrightError as error:
            is_told(error)

    fuzz(60, case)


def test_what_is_read_is_what_repr_writes(fuzz):
    specs = [spec for some in by_class().values() for spec in some]

    def case(random: Random) -> None:
        spec = random.choice(specs)
        if len(repr(spec)) < 5000 and "**{" not in repr(spec):
            assert read(repr(spec), symbol) == spec

    fuzz(60, case)
