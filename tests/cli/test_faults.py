"""What nobody meant to raise: one line and an exit code of its own."""

import pytest

from netwright.cli import FAULT, group, main


def said(monkeypatch, capsys, error):
    def broken(*_):
        raise error

    monkeypatch.setattr(group, "invoke", broken)
    with pytest.raises(SystemExit) as stop:
        main(["nets"])
    out, line = capsys.readouterr()
    assert out == ""
    assert line.count("\n") == 1
    return stop.value.code, line


@pytest.mark.parametrize("error", [KeyError("a\x1b"), ZeroDivisionError("x\ny"), RecursionError()])
def test_a_fault_of_ours_is_one_line(error, monkeypatch, capsys):
    monkeypatch.delenv("NETWRIGHT_DEBUG", raising=False)
    code, line = said(monkeypatch, capsys, error)
    assert code == FAULT == 70
    assert line.startswith("netwright: this is a fault of netwright, please report: ")
    assert type(error).__name__ in line
    assert "\x1b" not in line


def test_the_traceback_is_shown_when_asked_for(monkeypatch, capsys):
    monkeypatch.setenv("NETWRIGHT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        said(monkeypatch, capsys, ZeroDivisionError())


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: not enough memory: you tried")]
)
def test_too_little_memory_is_no_fault(error, monkeypatch, capsys):
    code, line = said(monkeypatch, capsys, error)
    assert code == 2
    assert "no memory left; try less at once" in line


def test_what_was_typed_does_not_move_the_cursor(capsys):
    for line in (["nets", "--\x1b[2J"], ["--\x1b[2J"], ["show", "a", "\x1b[2J"], ["\x1b[2J"]):
        with pytest.raises(SystemExit) as stop:
            main(line)
        assert stop.value.code == 2
        assert "\x1b" not in capsys.readouterr().err
