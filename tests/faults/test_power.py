"""F4: the power fails after any flush. What was acknowledged before is there.

A process is stopped at each of its flushes, and what a disk is then sure to hold is put aside: of
each file what it held when it was flushed last, under the names its folder had when that was. Every
one of these states is then opened.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from faults.hammering import Hammering, hammering
from faults.history import check_history
from faults.reading import checkpoint, log_entries, newest
from faults.tampering import needs_strace, tampered

pytestmark = needs_strace
FLUSH = re.compile(r"(?:fsync|fdatasync)\(\d+<([^>]+)>\)")
NAMES = 8


@dataclass
class Disk:
    """What is sure to be there after the power failed: bytes by inode, inodes by name."""

    folders: tuple[Path, ...]
    held: dict[int, bytes] = field(default_factory=dict)
    names: dict[Path, dict[str, int]] = field(default_factory=dict)

    def flushed(self, path: Path) -> None:
        """A file's bytes, or a folder's names, are on the disk now."""
        if path.is_dir():
            files = (one for one in path.iterdir() if one.is_file())
            self.names[path] = {one.name: one.stat().st_ino for one in files}
        else:
            self.held[path.stat().st_ino] = path.read_bytes()

    def all(self) -> None:
        """So it begins: everything was flushed."""
        for folder in self.folders:
            self.flushed(folder)
            for one in folder.iterdir():
                if one.is_file():
                    self.flushed(one)

    def state(self) -> dict[Path, bytes]:
        """The files, by their names."""
        return {
            folder / name: self.held.get(inode, b"")
            for folder, names in self.names.items()
            for name, inode in names.items()
        }


def stops(notes: Path, seen: int) -> list[str]:
    """What strace wrote down since, once whoever flushed last is stopped for it."""
    lines = notes.read_text().splitlines()[seen:]
    last = max((n for n, line in enumerate(lines) if FLUSH.search(line)), default=None)
    if last is None:
        return []
    thread = lines[last].split()[0]
    stopped = f"{thread} --- stopped by SIGSTOP"
    return lines if any(" ".join(one.split()).startswith(stopped) for one in lines[last:]) else []


def test_f4_whatever_was_acknowledged_is_there_when_the_power_fails(tmp_path: Path) -> None:
    folder, notes = tmp_path / "home", tmp_path / "notes"
    folder.mkdir()
    notes.touch()
    with hammering(folder, 1) as hammer:
        disk = Disk((folder, hammer.naming.checkpoint.parent))
        disk.all()
        states: list[tuple[list[int], dict[Path, bytes]]] = [([], disk.state())]
        child = hammer.begin(hammer.fresh(NAMES), "wait")
        ended = threading.Event()

        def listen() -> None:
            hammer.listen()
            ended.set()

        listening = threading.Thread(target=listen)
        with tampered(
            child, [], "trace=fsync,fdatasync", "inject=fsync,fdatasync:signal=STOP", notes=notes
        ):
            os.kill(child, signal.SIGUSR1)
            listening.start()
            seen = 0
            while not ended.is_set():
                lines = stops(notes, seen)
                if not lines:
                    time.sleep(0.001)
                    continue
                seen += len(lines)
                time.sleep(0.003)  # what it said before it was stopped has been heard by then
                for path in FLUSH.findall("\n".join(lines)):
                    disk.flushed(Path(path))
                states.append((hammer.acknowledged, disk.state()))
                os.kill(child, signal.SIGCONT)
        listening.join()
        assert hammer.acknowledged == list(range(1, NAMES + 1))
        for number, (acknowledged, files) in enumerate(states):
            after(hammer, tmp_path / f"state{number}", acknowledged, files)
        print(f"{len(states)} states, of {len(set(map(len, (a for a, _ in states))))} lengths")
        assert len(states) > 3 * NAMES
        assert max(len(acknowledged) for acknowledged, _ in states) >= NAMES - 1


def after(
    hammer: Hammering, folder: Path, acknowledged: list[int], files: dict[Path, bytes]
) -> None:
    """Open what is left, and hold it to what was acknowledged by then."""
    naming = hammer.naming
    home = naming.path.parent
    for path, data in files.items():
        to = folder / path.relative_to(home)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(data)
    naming.path = folder / naming.path.name
    naming.registry = naming.open()
    try:
        done = [hammer.ops[number] for number in acknowledged]
        others = [op for n, op in hammer.ops.items() if n not in acknowledged]
        unsure = [type(op)(op.kind, op.name, op.start, event=op.event) for op in others]
        final = newest(naming, [op.name for op in hammer.ops.values()])
        assert (
            check_history([*done, *unsure], log_entries(naming), [checkpoint(naming)], final) == []
        )
    finally:
        naming.registry.close()
        naming.path = home / naming.path.name
        shutil.rmtree(folder)
