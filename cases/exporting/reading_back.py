"""Reading an export back: what every format shares, and the proof that nothing in it was changed since."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cases.codec import UNREADABLE, canonical, unpacked
from cases.exporting.contents import Answer, Contents
from cases.exporting.owner_sheets import owner_sheets, with_owners
from cases.exporting.sheets import READ_BACK, Row, Sheet, contents_from, fact_sheets
from cases.exporting.trace_sheets import trace_sheets
from connectors.fields import transaction_in
from connectors.reading import Caps
from connectors.strict_json import parse_json
from tracer.addresses import parse
from tracer.errors import FundtrailError, InputError

FORMAT = "fundtrail-export/1"
CAPS = Caps(total=4 * 1024**3, line=512 * 1024**2)  # a case with its raw bytes is larger than what a source gives

Table = tuple[Sequence[str], Sequence[Row]]  # columns, rows


def sheets_of(contents: Contents) -> list[Sheet]:
    """All sheets of an export, in the order in which they are written."""
    return [*fact_sheets(contents), *owner_sheets(contents), *trace_sheets(contents)]


def answer_text(contents: Contents) -> str:
    """The answer and its hops as one line of JSON, `answer` null where none was given."""
    return canonical({"answer": contents.answer, "hops": list(contents.hops)}) + "\n"


def with_answer(contents: Contents, text: str, where: str) -> Contents:
    """The contents with the inferences that `answer_text` told."""
    told = parse_json(text, where)
    if not isinstance(told, dict) or set(told) != {"answer", "hops"}:
        raise InputError(f"{where} does not hold an answer and its hops", "export the case again")
    return replaced(contents, told["answer"], told["hops"])


def replaced(contents: Contents, answer: Answer | None, hops: Iterable[Mapping[str, Any]]) -> Contents:
    """The same facts, claims and decisions with other inferences."""
    from dataclasses import replace

    return replace(contents, answer=answer, hops=tuple(hops))


def from_tables(tables: Mapping[str, Table], bodies: Mapping[str, bytes], answer: str, where: str) -> Contents:
    """The contents that these sheets tell. Raises `InputError` naming the sheet and row that was changed.

    What was read is written again, and must be the same: a sheet that follows from others cannot say otherwise.
    """
    with undamaged(where):
        missing = [name for name in READ_BACK if name not in tables]
        if missing:
            raise InputError(f"{where} has no sheet {missing[0]}", "copy the whole export, with all its files")
        rows = {
            name: [dict(zip(columns, row, strict=True)) for row in found] for name, (columns, found) in tables.items()
        }
        facts = with_owners(contents_from({name: rows[name] for name in READ_BACK}, bodies), rows)
        contents = with_answer(facts, answer, where)
        _must_tell(sheets_of(contents), tables, where)
        _must_be_spelt_as_ours(contents)
    return contents


def checked(contents: Contents, where: str) -> Contents:
    """`contents` as JSON told them, which may hold anything in the place of anything. Raises `InputError`.

    Told as the text of sheets and read again from there, they must be the same: a number in the place of a name, or a
    list in the place of a number, is not.
    """
    with undamaged(where):
        sheets = [*fact_sheets(contents), *owner_sheets(contents)]
        if any(type(cell) is not str for sheet in sheets for row in sheet.rows for cell in row):
            raise _changed(where, "something stands in the place of a text")
        rows = {one.name: [dict(zip(one.columns, row, strict=True)) for row in one.rows] for one in sheets}
        again = with_owners(contents_from(rows, {one.id: one.body for one in contents.evidence}), rows)
        fields = "transfers", "evidence", "coverage", "problems", "labels", "losses", "judgements", "withdrawals"
        for field in fields:
            if repr(getattr(again, field)) != repr(getattr(contents, field)):
                raise _changed(where, f"something among its {field} is of another kind than is written there")
        if contents.answer is None and contents.hops:
            raise _changed(where, "it has hops and no answer that they belong to")
        _must_be_spelt_as_ours(contents)
    return contents


def _must_be_spelt_as_ours(contents: Contents) -> None:
    """Addresses, transactions and positions as we write them: another spelling would be another place to us."""
    places = {leg.address for one in contents.transfers for leg in (*one.inputs, *one.outputs) if leg.address}
    places |= {answer.address for _, answer in contents.coverage} | {label.address for label in contents.labels}
    places |= {loss.wallet for loss in contents.losses if loss.wallet}
    places |= {side for one in contents.judgements for side in (one.left, one.right)}
    for place in places:
        if parse(place.text, place.chain).text != place.text:
            raise InputError(f"the address {place.text!r:.100} is not spelt as exports spell it", "export it again")
    for id in {one.id for one in contents.transfers} | {id for one in contents.judgements for id in one.evidence}:
        _ = id.place
        if transaction_in({"tx": id.tx}, "tx", id.chain) != id.tx:
            raise InputError(f"the transaction {id.tx!r:.100} is not spelt as exports spell it", "export it again")


def _must_tell(sheets: Sequence[Sheet], tables: Mapping[str, Table], where: str) -> None:
    for sheet in sheets:
        columns, rows = tables.get(sheet.name, ((), ()))
        if tuple(columns) != sheet.columns:
            raise _changed(where, f"the sheet {sheet.name} is missing, or has other columns")
        for number, (told, found) in enumerate(zip(sheet.rows, rows, strict=False), start=1):
            for column, should, does in zip(columns, told, found, strict=False):
                if should != does:
                    raise _changed(where, f"{sheet.name}, row {number}, {column} is {does!r:.60}, not {should!r:.60}")
        if len(sheet.rows) != len(rows):
            raise _changed(where, f"{sheet.name} has {len(rows)} rows, not {len(sheet.rows)}")
    if more := sorted(set(tables) - {sheet.name for sheet in sheets}):
        raise _changed(where, f"there is a sheet {more[0]!r:.60} that nothing stands behind")


def _changed(where: str, what: str) -> InputError:
    return InputError(
        f"{where} is not as it was exported: {what}",
        "export the case again; data of your own go into a transfer file: docs/transfer-files.md",
    )


@contextmanager
def undamaged(where: str) -> Iterator[None]:
    """What cannot be decoded is an `InputError`; what says already what is wrong stays as it is."""
    try:
        yield
    except InputError:
        raise
    except FundtrailError as error:  # its sides do not add up, for one
        raise _changed(where, str(error)) from None
    except UNREADABLE as error:
        raise InputError(f"{where} cannot be read: {error!r:.200}", "copy it again, or export the case again") from None


def packed(body: bytes) -> str:
    """Bytes as a text of ASCII letters."""
    return base64.b64encode(zlib.compress(body, 9)).decode("ascii")


def opened(text: str) -> bytes:
    """What `packed` was given. Raises `ValueError`."""
    return unpacked(base64.b64decode(text, validate=True))


def record_of(text: str, where: str) -> dict[str, Any]:
    """A line of JSON that is an object."""
    record = parse_json(text, where)
    if not isinstance(record, dict):
        raise InputError(f"{where} is not a JSON object", "copy it again")
    return record


__all__ = [
    "CAPS", "FORMAT", "answer_text", "checked", "from_tables", "opened", "packed", "record_of", "replaced", "sheets_of",
    "undamaged", "with_answer",
]  # fmt: skip
