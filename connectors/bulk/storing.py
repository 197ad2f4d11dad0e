"""What an ingest writes into: records that grow at the end of a file, and hash tables that grow in memory."""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.bulk.folder import HashedWriter, Manifest, StoredFile, sealed
from connectors.bulk.kernels import U64, grown

_FULLEST = 0.75  # beyond, probing gets long


class Records:
    """Fixed-width records in a file, mapped into memory, the first `count` of them in use.

    What lies beyond `count` is nothing yet. `sealed` of them the last manifest speaks of: those change only in a
    copy of the file (`thaw`), so that an ingest that dies leaves them as they were.
    """

    def __init__(self, folder: Path, name: str, words: int, kind: type[np.generic], before: StoredFile | None) -> None:
        self.name, self.words, self.folder, self.before = name, words, folder, before
        self.kind, self._handle = np.dtype(kind), -1
        self.file = before.file if before else f"{name}.0.bin"
        self.count = self.sealed = (before.size if before else 0) // self.width
        self._map()

    @property
    def width(self) -> int:
        """Bytes per record."""
        return self.words * self.kind.itemsize

    def room(self, more: int) -> None:
        """Make room for so many more records."""
        if self.count + more > len(self.all):
            self._map(max(2 * self.count, self.count + more))

    def add(self, records: NDArray[Any]) -> None:
        """Append records."""
        self.room(len(records))
        body = bytes_of(np.ascontiguousarray(records, self.kind))
        at = self.count * self.width
        while body:  # not through the mapping: there each page costs a fault
            done = os.pwrite(self._handle, body, at)
            body, at = body[done:], at + done
        self.count += len(records)

    @property
    def used(self) -> NDArray[Any]:
        """The records in use."""
        return self.all[: self.count]

    def thaw(self, generation: int) -> None:
        """Go on in a copy, in which what is sealed may change too."""
        if self.sealed:
            file = f"{self.name}.{generation}.bin"
            shutil.copyfile(self.folder / self.file, self.folder / file)
            self.file, self.before, self.sealed = file, None, 0
            self._map(len(self.all))

    def forget(self) -> None:
        """Let the memory go in which the file is mapped; it comes back when touched."""
        self._mapped.madvise(mmap.MADV_DONTNEED)

    def seal(self) -> StoredFile:
        """The file as the manifest will name it, cut to what is in use and flushed to the disk."""
        self.all = np.empty((0, self.words), self.kind)
        os.truncate(self.folder / self.file, self.count * self.width)
        stored = sealed(self.folder, self.file, self.count * self.width, self.before)
        self.before, self.sealed = stored, self.count
        self._map()
        return stored

    def close(self) -> None:
        """Let the file go, cut to what the manifest speaks of."""
        self.all = np.empty((0, self.words), self.kind)
        os.ftruncate(self._handle, self.sealed * self.width)
        self._release()

    def _release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _map(self, most: int = 0) -> None:
        size = max(most, self.count, 1024) * self.width
        with (self.folder / self.file).open("r+b" if (self.folder / self.file).exists() else "w+b") as stream:
            if os.fstat(stream.fileno()).st_size < size:
                stream.truncate(size)
            self._mapped = mmap.mmap(stream.fileno(), size)
            self._release()
            self._handle = os.dup(stream.fileno())
        self.all = np.frombuffer(self._mapped, self.kind).reshape(-1, self.words)


class Tables:
    """The hash tables of an ingest, by name."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder, self._slots = folder, dict[str, U64]()
        self._files = manifest.files

    def __getitem__(self, name: str) -> U64:
        if name not in self._slots:
            stored = self._files.get(name)
            read = np.fromfile(self._folder / stored.file, np.uint64) if stored else np.zeros(1 << 10, np.uint64)
            self._slots[name] = read
        return self._slots[name]

    def room(self, name: str, keys: int) -> U64:
        """The table with room for so many keys in all."""
        slots = self[name]
        bits = (len(slots) - 1).bit_length()
        while keys > _FULLEST * (1 << bits):
            bits += 1
        if 1 << bits != len(slots):
            self._slots[name] = slots = grown(slots, bits)
        return slots

    def store(self, write: Callable[[str, NDArray[Any]], StoredFile]) -> dict[str, StoredFile]:
        """Write out those that were used, and let go of them."""
        return {name: write(name, self._slots.pop(name)) for name in sorted(self._slots)}


def written(folder: Path, name: str, generation: int, column: NDArray[Any]) -> StoredFile:
    """A whole column as a new file."""
    writer = HashedWriter(folder, f"{name}.{generation}.bin")
    writer.write(bytes_of(np.ascontiguousarray(column)))
    return writer.done()


def bytes_of(column: NDArray[Any]) -> memoryview:
    """A column as it stands in memory, which is how it stands on disk."""
    return column.reshape(-1).view(np.uint8).data if column.size else memoryview(b"")
