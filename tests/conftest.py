"""A skip is a failure where everything has to run: `make test` sets NETWRIGHT_MUST_RUN.

Then a browser, a peer or a table that is missing is told as what it is: a test that did not
run. Allowed are tests that do not apply to what they were given, and those of files and systems
that not everybody can have.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

ALLOWED = (
    # of a unit, block or net that the test has nothing to say about
    "PyTorch's own layer does not", "takes more than maps", "has no window", "has no rule",
    r"not \(C, H, W\)", "sees all", "no such option", "its widths are the paper's",
    "it names single maps", "no norm directly behind a convolution", "not of this unit: .*",
    "Dynamo leaves the graph at .*",
    # of the system, or of data that do not come with the source
    "no photographs at .*", "this file system takes names in UTF-8 only",
    "no links, no pipes", "no pipes, no devices", "no pseudo-terminals",
    "reads memory as Linux tells it",
)  # fmt: skip
"""Reasons for which a test may be skipped, as regular expressions."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _judged(item.nodeid, (yield))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """PyTorch records gradients: else later tests fail that have nothing to do with it."""
    yield
    torch = sys.modules.get("torch")
    if torch is not None and not torch.is_grad_enabled():
        torch.set_grad_enabled(True)
        pytest.fail(f"{item.nodeid} left PyTorch without gradients")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _judged(collector.nodeid, (yield))


def _judged(where: str, report: Report) -> Report:
    """The report; a failure where it skips and must not."""
    if not os.environ.get("NETWRIGHT_MUST_RUN") or not report.skipped:
        return report
    if hasattr(report, "wasxfail") or not isinstance(report.longrepr, tuple):
        return report
    reason = report.longrepr[2].removeprefix("Skipped: ")
    if not any(re.fullmatch(allowed, reason) for allowed in ALLOWED):
        report.outcome = "failed"
        report.longrepr = (
            f"{where} was skipped ({reason}) and must run; install what it needs, "
            "or set NETWRIGHT_MUST_RUN to nothing"
        )
    return report
