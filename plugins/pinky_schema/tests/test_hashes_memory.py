"""How much memory hashing needs: peaks of processes of their own, as Linux tells them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# A file that is made while it is read. VmHWM is this program's own peak; that of getrusage may be its parent's.
PROBE = """
import sys
from pinky_schema.runtime.hashes import hash_file

class Made:
    def __init__(self, pieces):
        self.pieces, self.rest = pieces, b""

    def read(self, size):
        while len(self.rest) < size:
            piece = next(self.pieces, None)
            if piece is None:
                break
            self.rest += piece
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

found = hash_file(Made({pieces}), format={format!r}, folder=sys.argv[1])
print(found.rows, round(peak()))
"""
ROWS = 1_200_000
PIECES = {
    "different rows": f"(b''.join(b'%d,x\\n' % n for n in range(at, at + 1000)) for at in range(0, {ROWS}, 1000))",
    "different rows with quotes": (
        f"(b''.join(b'\"%d\",x\\n' % n for n in range(at, at + 1000)) for at in range(0, {ROWS}, 1000))"
    ),
    "the same rows again and again": (
        f"(b''.join(b'%d\\n' % (n % 300_000) for n in range(at, at + 1000)) for at in range(0, {ROWS}, 1000))"
    ),
    "equal rows": f"(b'a,b\\n' * 10_000 for _ in range({ROWS} // 10_000))",
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
def test_a_million_rows_need_less_than_128_mb(pieces: str, tmp_path: Path) -> None:
    # 1.2 million digests held at once would need 200 MB.
    rows, peak = run(pieces, "csv", tmp_path)
    assert rows == ROWS
    assert peak < 128


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize(
    ("pieces", "format"),
    [
        ("iter([b'\"', b'a' * ((8 << 20) - 2), b'\"'])", "csv"),
        ("iter([b'\"\",' + b',' * ((8 << 20) - 300_000)])", "csv"),
        ("iter([b'[' + b'{},' * 1_398_000 + b'{}]'])", "jsonl"),
        ("iter([b'[[' + b'{},' * 1_398_000 + b'{}]]'])", "json"),
    ],
)
def test_the_largest_row_needs_less_than_256_mb(pieces: str, format: str, tmp_path: Path) -> None:  # noqa: A002
    rows, peak = run(pieces, format, tmp_path)
    assert rows == 1
    assert peak < 256


def run(pieces: str, format: str, folder: Path) -> tuple[int, int]:  # noqa: A002
    code = PROBE.format(pieces=pieces, format=format)
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert list(folder.iterdir()) == []
    rows, peak = map(int, done.stdout.split())
    return rows, peak
