"""Tables as explorers and exporters list them, written to files and read by the readers of folders."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.bulk.batch import SINKS, Batch
from connectors.bulk.readers import open_reader
from tracer.values import Chain

ETHEREUM, BITCOIN, TRON = Chain.named("ethereum"), Chain.named("bitcoin"), Chain.named("tron")
A, B, C, TOKEN = ("0x" + letter * 40 for letter in "abcd")
ZERO = "0x" + "0" * 40
TX = ["0x" + f"{number:064x}" for number in range(1, 20)]
TIME = 1648042149
Row = dict[str, Any]

PAYMENT = {
    "Txhash": TX[0],
    "Blockno": "14442778",
    "UnixTimestamp": str(TIME),
    "DateTime": "2022-03-23 13:29:09",
    "From": A,
    "To": B,
    "ContractAddress": "",
    "Value_IN(ETH)": "0",
    "Value_OUT(ETH)": "1,234.5",
    "CurrentValue @ $1,843.94/Eth": "1",
    "TxnFee(ETH)": "0.00529785682931128",
    "TxnFee(USD)": "1.2",
    "Historical $Price/Eth": "1",
    "Status": "",
    "ErrCode": "",
    "Method": "Transfer",
}


def listed(path: Path, rows: list[Row], newer: bool = False) -> Path:
    """A list as Etherscan writes it: every cell in quotes; the newer generation under newer names."""
    again = {"Txhash": "Transaction Hash", "DateTime": "DateTime (UTC)"} if newer else {}
    path = path / "export.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow([again.get(name, name) for name in rows[0]])
        writer.writerows(row.values() for row in rows)
    return path


def read(path: Path, skip: int = 0, **wanted: Any) -> tuple[list[tuple[Any, ...]], dict[int, str]]:
    """Row, tx, position, asset, payer, payee, units of each transfer; and what was refused."""
    told: list[tuple[Any, ...]] = []
    bad: dict[int, str] = {}
    for batch in open_reader(path, **wanted).batches(path, skip):
        assert isinstance(batch, Batch)
        columns = (batch.tx, batch.position, batch.asset, batch.payer, batch.payee)
        for at, (tx, position, asset, payer, payee) in enumerate(zip(*(c.to_pylist() for c in columns), strict=True)):
            ends = [
                str(SINKS[int(sink[at])]) if sink[at] else raw if isinstance(raw, str) else "0x" + raw.hex()
                for raw, sink in ((payer, batch.payer_sink), (payee, batch.payee_sink))
            ]
            units = batch.overflow.get(at, int(batch.high[at]) * 2**64 + int(batch.low[at]))
            told.append((int(batch.rows[at]), tx if isinstance(tx, str) else tx.hex(), position, asset, *ends, units))
        bad |= {one.row: one.why for one in batch.rejected}
    return told, bad


OWN = {
    "chain": "ethereum",
    "tx": TX[0],
    "position": "log:7",
    "block": "5",
    "time": "2022-03-23T13:29:09Z",
    "asset": TOKEN,
    "symbol": "USDT",
    "decimals": "6",
    "from": A,
    "to": B,
    "units": str(2**256 - 1),
}


def own(path: Path, rows: list[Row], ending: str = ".csv") -> Path:
    path = path / f"transfers{ending}"
    if ending == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif ending == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path
