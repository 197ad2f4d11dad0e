"""Block numbers and their times, from ethereum-etl's table of blocks: for exports that leave the time out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.bulk.readers_columns import OK, numbers, times
from connectors.bulk.readers_tables import Kind, chunks, look_at
from connectors.fields import moment_in, number_in
from tracer.errors import BadRow, InputError


@dataclass(frozen=True, slots=True)
class BlockTimes:
    """Block numbers in ascending order, and the time of each."""

    numbers: NDArray[np.int64]
    seconds: NDArray[np.int64]

    @classmethod
    def read(cls, path: Path) -> BlockTimes:
        """The table of blocks at `path`. Raises `InputError`, also for a block that cannot be read."""
        table = look_at(path)
        if not {"number", "timestamp"} <= set(table.columns):
            raise InputError(f"{path} is no table of blocks", "it has the columns number and timestamp")
        found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        for chunk in chunks(table, ("number", "timestamp")):
            if table.kind is Kind.JSON:
                rows = [chunk.row(place) for place in np.flatnonzero(chunk.usable()).tolist()]
                pairs = [(number_in(row, "number"), moment_in(row, "timestamp")) for row in rows]
                both = np.array(pairs, np.int64).reshape(-1, 2)
                found.append((both[:, 0], both[:, 1]))
                continue
            block, block_state = numbers(chunk.columns["number"], chunk.rows)
            time, time_state = times(chunk.columns["timestamp"])
            good = (block_state == OK) & (time_state == OK)
            if not good[chunk.usable()].all() or chunk.broken:
                row = chunk.first + int(np.flatnonzero(~good)[0])
                raise InputError(f"{path}, row {row}: a block without number or time", "mend the table of blocks")
            found.append((block[good], time[good]))
        if not found:
            raise InputError(f"{path} names no block", "give the table of blocks of the same chain")
        block, time = np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])
        order = np.lexsort((time, block))
        block, time = block[order], time[order]
        again = np.flatnonzero((block[1:] == block[:-1]) & (time[1:] != time[:-1]))
        if len(again):
            raise InputError(f"{path} gives block {block[again[0]]} two times", "use blocks of one chain only")
        return cls(block, time)

    def times(self, blocks: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The time of each block, and False where it is not known."""
        at = np.minimum(np.searchsorted(self.numbers, blocks), len(self.numbers) - 1)
        return self.seconds[at], self.numbers[at] == blocks

    def of(self, block: object) -> int:
        """The time of one block. Raises `BadRow`."""
        number = number_in({"block_number": block}, "block_number")
        time, known = self.times(np.array([number], np.int64))
        if not known[0]:
            raise BadRow(f"block {number} is not in the table of blocks")
        return int(time[0])
