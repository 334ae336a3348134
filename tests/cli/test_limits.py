"""Bounds of what commands read and need: one line each, exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from netwright.cli import main
from netwright.core import machine

ALLOCATE = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."


def refused(capsys, *words):
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    out, err = capsys.readouterr()
    assert (caught.value.code, out, err.count("\n")) == (2, "", 1)
    return err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["summary", "/dev/zero"], "cannot read /dev/zero: more than 67,108,864 bytes"),
        (["bench", "lenet5", "--batch", "999999999999"], "try a smaller --batch"),
        (["bench", "lenet5", "--threads", "99999999999999999"], "wanted at most 1,024"),
        (["calibrate", "--threads", "5000"], "wanted at most 1,024"),
        (["fit", ""], "the data has an empty name"),
        (["fit", "/", "--out", ""], "the run folder has an empty name"),
        (["fit", "/", "--resume", "--out", ""], "the run has an empty name"),
        (["predict", "", "x.png"], "the run has an empty name"),
        (["fit", "x" * 5000], "File name too long"),
        (["predict", "x" * 5000, "x.png"], "File name too long"),
        (["rewrite", "lenet5", "align:0"], "multiple is 0, wanted an integer of at least 1"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)  # fmt: skip
def test_one_line(capsys, words, said):
    assert said in refused(capsys, *words)


def test_a_pipe_is_a_net(tmp_path, capsys):
    import netwright as nw

    read, write = os.pipe()
    os.write(write, nw.net("lenet5").to_json().encode())
    os.close(write)
    with pytest.raises(SystemExit) as caught:
        main(["summary", f"/dev/fd/{read}"])
    os.close(read)
    assert caught.value.code == 0
    assert "61,706" in capsys.readouterr().out


@pytest.mark.parametrize("fault", [MemoryError(), RuntimeError(ALLOCATE),
                                   RuntimeError("can't start new thread")])  # fmt: skip
def test_no_memory_left(capsys, monkeypatch, fault):
    def fail(*arguments):
        raise fault

    monkeypatch.setattr("netwright.speed.measure.measured", fail)
    assert "no memory left; try less at once" in refused(capsys, "bench", "lenet5")


def test_too_little_memory_to_begin():
    """The system ends a process that loads PyTorch with less, with a word of its own."""
    code = ("import resource; resource.setrlimit(resource.RLIMIT_AS, (5 * 10**8, 5 * 10**8))\n"
            "from netwright.cli import main; main(['predict', 'run', 'x.png'])")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("netwright: 500,000,000 bytes of memory are not enough to load")
    assert done.stderr.count("\n") == 1


def test_the_memory_of_a_container(tmp_path, monkeypatch):
    whole = machine.memory()
    monkeypatch.setattr(machine, "CGROUP", tmp_path / "memory.max")
    for text, bound in (("max\n", whole), (f"{2**60}\n", whole), ("12345\n", 12345)):
        (tmp_path / "memory.max").write_text(text)
        assert machine.memory() == bound
