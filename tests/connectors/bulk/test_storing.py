"""What an ingest writes into: room that is made is there."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from connectors.bulk.storing import Records


@pytest.mark.skipif(sys.platform != "linux", reason="told of the disk by the call of Linux")
def test_room_is_no_hole_so_that_a_full_disk_is_an_error_and_no_end_of_the_process(tmp_path: Path) -> None:
    records = Records(tmp_path, "rows", 4, np.uint64, None)
    records.room(50_000)
    told = (tmp_path / records.file).stat()
    assert told.st_size >= 50_000 * 32
    assert told.st_blocks * 512 >= told.st_size
    records.close()
    assert (tmp_path / records.file).stat().st_size == 0
