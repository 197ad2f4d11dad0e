"""What an ingest writes into: records that grow at the end of a file, and hash tables that grow in memory."""

from __future__ import annotations

import mmap
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.bulk.folder import Manifest, StoredFile, sealed
from connectors.bulk.kernels import U64, grown, merge, newer
from connectors.bulk.tables import layers_of

_FULLEST = 0.75  # beyond, probing gets long
_LAYERS = 6  # small files beside a large one: each costs a reader who does not find a key there two pages
_LITTLE = 8  # times as many slots as new keys: then a whole table is not written again


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
        put(self._handle, np.ascontiguousarray(records, self.kind), self.count)
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
        """The file as the manifest will name it, cut to what is in use and flushed to the disk.

        What is in use may be read meanwhile, and not be written to.
        """
        os.truncate(self.folder / self.file, self.count * self.width)
        self.before = sealed(self.folder, self.file, self.count * self.width, self.before)
        self.sealed = self.count
        return self.before

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
            there = os.fstat(stream.fileno()).st_size
            if there < size:
                # Not a hole: to write into one through a mapping when the disk is full kills the process.
                if sys.platform == "linux":
                    os.posix_fallocate(stream.fileno(), there, size - there)
                else:
                    stream.truncate(size)
            self._mapped = mmap.mmap(stream.fileno(), size)
            self._release()
            self._handle = os.dup(stream.fileno())
        self.all = np.frombuffer(self._mapped, self.kind).reshape(-1, self.words)


class Tables:
    """The hash tables of an ingest, by name: as files one that is large and up to `_LAYERS` small ones, here one.

    The large file is mapped, and what changes of it is copied page by page.
    """

    def __init__(self, folder: Path, manifest: Manifest, holdings: Records) -> None:
        self._folder, self._slots = folder, dict[str, U64]()
        self._files, self._holdings, self._key_words = manifest.files, holdings, manifest.key_words

    def __getitem__(self, name: str) -> U64:
        if name not in self._slots:
            self._slots[name] = self._read(name)
        return self._slots[name]

    def room(self, name: str, keys: int) -> U64:
        """The table with room for so many keys in all."""
        self._slots[name] = slots = _with_room(self[name], keys)
        return slots

    def store(
        self, write: Callable[[str, NDArray[Any]], StoredFile], sealed: Mapping[str, int]
    ) -> dict[str, StoredFile]:
        """Write out those that were used, and let go of them; the files of all, as the manifest will name them.

        Only what is new where that is little: the records from number `sealed[name]` on, if that is told.
        """
        files = {name: stored for name, stored in self._files.items() if name.startswith("by_")}
        for name in sorted(self._slots):
            slots = self._slots.pop(name)
            layers = layers_of(name, files)
            fresh = newer(slots, sealed[name]) if layers and name in sealed else slots
            if layers and len(layers) <= _LAYERS and _LITTLE * len(fresh) <= len(slots):
                if len(fresh):
                    layer = f"{name}-{len(layers)}"
                    files[layer] = write(layer, _with_room(np.zeros(16, np.uint64), len(fresh), fresh))
            else:
                for layer in layers:
                    del files[layer]
                files[name] = write(name, slots)
        return files

    def _read(self, name: str) -> U64:
        layers = layers_of(name, self._files)
        if not layers:
            return np.zeros(1 << 10, np.uint64)
        slots = self._mapped(self._files[layers[-1]])
        later = [np.fromfile(self._folder / self._files[layer].file, np.uint64) for layer in reversed(layers[:-1])]
        if later:
            slots = _with_room(slots, int(np.count_nonzero(slots)) + sum(int(np.count_nonzero(one)) for one in later))
        # Of an address's holdings the latest is found first, so it takes an earlier one's place.
        width = self._key_words if name == "by_address" else 0
        for one in later:
            merge(slots, one, self._holdings.all, width)
        return slots

    def _mapped(self, stored: StoredFile) -> U64:
        with (self._folder / stored.file).open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), stored.size, access=mmap.ACCESS_COPY)
        mapped.madvise(mmap.MADV_WILLNEED)
        return np.frombuffer(mapped, np.uint64)


def _with_room(slots: U64, keys: int, entries: U64 | None = None) -> U64:
    """The table with room for so many keys, the same or, if it has to grow or `entries` are to be in it, another."""
    bits = (len(slots) - 1).bit_length()
    while keys > _FULLEST * (1 << bits):
        bits += 1
    if entries is not None:
        return grown(entries, bits)
    return slots if 1 << bits == len(slots) else grown(slots, bits)


def written(folder: Path, name: str, generation: int, column: NDArray[Any]) -> StoredFile:
    """A whole column as a new file."""
    file, column = f"{name}.{generation}.bin", np.ascontiguousarray(column)
    with (folder / file).open("wb") as stream:
        put(stream.fileno(), column, 0)
    return sealed(folder, file, column.nbytes)


def put(handle: int, records: NDArray[Any], number: int) -> None:
    """Write records into an open file, so that the first of them is its record `number`.

    Not through a mapping: there each page costs a fault.
    """
    body = bytes_of(records)
    at = number * (body.nbytes // max(len(records), 1))
    while body:
        done = os.pwrite(handle, body, at)
        body, at = body[done:], at + done


def bytes_of(column: NDArray[Any]) -> memoryview:
    """A column as it stands in memory, which is how it stands on disk."""
    return column.reshape(-1).view(np.uint8).data if column.size else memoryview(b"")
