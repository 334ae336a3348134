"""Findings about cost: where it goes, and what of it is wasted."""

from __future__ import annotations

from math import prod

from netwright.advice.finding import Case, Finding, remedies, shares
from netwright.core.operation import Kind
from netwright.core.plan import Row
from netwright.units.linear import Flatten

__all__ = ["biased", "dense_head", "hot", "misaligned", "rank"]

HOT = 0.15
"""A part of the MACs above which one unit is a hot spot."""
HEAVY = 0.5
"""A part of the parameters above which a dense head is heavy."""
LITTLE = 0.001
"""A part of the MACs below which a width is no matter."""
ALIGN = 8
"""Channels that kernels of processors with vector and matrix units take at once."""
_PRODUCTS = (Kind.CONVOLUTION, Kind.DENSE)


def hot(case: Case) -> list[Finding]:
    """Single units that take a large part of the work."""
    findings: list[Finding] = []
    for _, row in case.rows():
        if row.macs == 0 or row.macs < HOT * case.plan.macs:
            continue
        text = f"{row.path} alone takes {shares(case, [row])}"
        fixes = remedies(case, *_cheaper(row))
        less = [remedy for remedy in fixes if (remedy.changes["macs"].ratio or 1) < 1]
        findings.append(case.finding("cost", text, [row], tuple(less)))
    return findings


def _cheaper(row: Row) -> list[tuple[str, ...]]:
    window = row.unit.sliding(row.input)
    if window is None or window.groups > 1:
        return []
    named = {7: [("stem-3x3",), ("7x7-to-3x3",)], 5: [("5x5-to-3x3",), ("asymmetric",)]}
    return named.get(max(window.kernel), [("separable",)] if max(window.kernel) > 1 else [])


def dense_head(case: Case) -> Finding | None:
    """Dense units behind a flattened map that hold most of the parameters."""
    rows = [row for _, row in case.rows()]
    flat = [i for i, row in enumerate(rows) if isinstance(row.unit, Flatten) and len(row.input) > 1]
    dense = [row for row in rows[flat[-1] :] if row.unit.kind is Kind.DENSE] if flat else []
    params = sum(row.params for row in dense)
    if not dense or params < HEAVY * case.plan.params:
        return None
    text = f"the dense units behind {rows[flat[-1]].path} take {shares(case, dense)}"
    return case.finding("head", text, dense, remedies(case, ("gap-head",)))


def rank(case: Case) -> Finding | None:
    """Convolutions with more outputs than their window has inputs, and no bend behind them
    before the next product: what they add, a narrower one could say.
    """
    rows = [
        row
        for row, after in _chains(case)
        if row.unit.kind is Kind.CONVOLUTION
        and after.macs
        and (window := row.unit.sliding(row.input)) is not None
        and window.groups == 1
        and row.output[0] > _rank(row)
    ]
    if not rows:
        return None
    text = (
        f"{len(rows)} convolutions such as {rows[0].path} make more channels than their window "
        f"has inputs, and a product follows without a non-linearity. {shares(case, rows)}"
    )
    narrower = tuple([f"width:{row.path},{_rank(row)}" for row in rows])
    return case.finding("width", text, rows, remedies(case, narrower))


def _rank(row: Row) -> int:
    """Numbers that a window of the row reads: no more outputs are independent."""
    return row.input[0] * prod(_kernel(row))


def _kernel(row: Row) -> tuple[int, ...]:
    window = row.unit.sliding(row.input)
    return window.kernel if window else (1,)


def _chains(case: Case) -> list[tuple[Row, Row]]:
    """Rows with the one row that reads them, where it is the next and reads nothing else."""
    readers: dict[int, list[Row]] = {}
    for _, row in case.rows():
        for source in row.sources:
            readers.setdefault(source, []).append(row)
    return [
        (row, readers[i][0])
        for i, row in case.rows()
        if len(readers.get(i, [])) == 1 and len(readers[i][0].sources) == 1
    ]


def _biased(row: Row) -> bool:
    return row.unit.kind in _PRODUCTS and row.unit.biased


def biased(case: Case) -> Finding | None:
    """Biases of convolutions that the batch norm behind them takes away again."""
    rows = [
        row for row, after in _chains(case) if _biased(row) and after.unit.kind is Kind.BATCH_NORM
    ]
    if not rows:
        return None
    count = sum(row.output[0] for row in rows)
    text = (
        f"{len(rows)} units such as {rows[0].path} have a bias that the batch norm behind them "
        f"takes away again: {count:,} parameters that do nothing"
    )
    return case.finding("bias", text, rows, remedies(case, ("no-bias",)))


def misaligned(case: Case) -> Finding | None:
    """Widths inside the net that are no multiple of 8: kernels pad them, and do the work."""
    rows = [row for _, row in case.rows() if row.unit.kind in _PRODUCTS]
    classes = case.plan.output[0]
    odd = [row for row in rows if row.output[0] % ALIGN and row.output[0] != classes]
    odd = [row for row in odd if row.macs > LITTLE * case.plan.macs]
    if not odd:
        return None
    text = (
        f"{len(odd)} units such as {odd[0].path} (width {odd[0].output[0]}) have a width that is "
        f"no multiple of {ALIGN}, which most kernels pad. {shares(case, odd)}"
    )
    return case.finding("align", text, odd, remedies(case, ("align",)))
