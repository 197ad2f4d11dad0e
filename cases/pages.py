"""Pages: what a source answered about an address, kept whole and read back as transfers, coverage and problems."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from cases import log, statements
from cases.codec import (
    TransferReader,
    canonical,
    coverage_json,
    coverage_of,
    parsed,
    problem_json,
    readable,
    sha256,
    transfer_key,
    transfer_text,
    tx_key,
    unpacked,
)  # fmt: skip
from cases.sqlite_file import SqliteFile
from connectors.protocol import Evidence, Page, Problem
from tracer.coverage import Coverage, State
from tracer.errors import CaseConflict, CaseDamaged
from tracer.ledger import Ledger
from tracer.values import Address, Chain, Transfer, TransferId

_REPORTS = "SELECT n, id, body, evidence FROM transfers JOIN citations ON transfer = hash"


def asked_of(source: str, address: Address) -> str:
    """The question that pages answer, as text: about whom, asked of which source."""
    return canonical([address.chain.name, address.text, source])


def _from_to(*parts: str) -> tuple[str, str]:
    """The range of the JSON lists that begin with these texts and go on with one more."""
    start = canonical(parts)[:-1] + ',"'
    return start, start[:-1] + "#"  # the character after the quote


def store(file: SqliteFile, source: str, address: Address, page: Page, *, at: int, after: str) -> None:
    """Keep a page in one transaction. Raises `Contradiction` or `CaseConflict`; then nothing of it is kept."""
    asked = asked_of(source, address)
    with file.writing():
        last = file.rows("SELECT n, cursor FROM pages WHERE asked = ? ORDER BY n DESC LIMIT 1", asked)
        begun = bool(last) and not file.rows("SELECT n FROM coverage WHERE n = ?", last[0][0])
        if last[0][1] != canonical(after) if begun else bool(last) and not after:
            raise CaseConflict(
                f"this page of {address} is in the case already",
                "another run reads for this case: wait until it is done",
            )
        n = log.next_number(file)
        for kept in (page.evidence, *page.also):
            keep_evidence(file, n, kept)
        evidence = page.evidence.id if page.evidence else None
        request = page.evidence.request if page.evidence else ""
        row = n, asked, canonical(after), canonical(page.cursor), evidence, canonical(request)
        file.write("INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?)", [row])
        _keep_transfers(file, n, page.transfers)
        cited = {cited for transfer in page.transfers for cited in transfer.evidence}
        if page.coverage is not None:
            file.write("INSERT INTO coverage VALUES (?, ?)", [(n, canonical(coverage_json(page.coverage)))])
            cited |= {page.coverage.evidence} - {""}
        keep_problems(file, n, page.problems)
        must_have(file, cited)
        log.append(file, n, at, "page", statements.page(file, n))


def keep_evidence(file: SqliteFile, n: int, evidence: Evidence | None) -> None:
    """Keep raw bytes under their hash; the same bytes again are kept once."""
    if evidence is not None:
        told = canonical(evidence.source), canonical(evidence.request)
        row = evidence.id, n, *told, zlib.compress(evidence.body)
        file.write("INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?)", [row])


def keep_problems(file: SqliteFile, n: int, problems: Iterable[Problem]) -> None:
    """Keep what was met while reading."""
    rows = [(n, row, canonical(problem_json(problem))) for row, problem in enumerate(problems)]
    file.write("INSERT INTO problems VALUES (?, ?, ?)", rows)


def must_have(file: SqliteFile, cited: Iterable[str]) -> None:
    """Refuse to keep what cites evidence that is not here."""
    for id in sorted({reference.partition("#")[0] for reference in cited}):
        if not file.rows("SELECT id FROM evidence WHERE id = ?", id):
            raise CaseConflict(f"the evidence {id:.80} is cited but was not given", "this is a defect of the source")


def _keep_transfers(file: SqliteFile, n: int, transfers: Sequence[Transfer]) -> None:
    """Each report once, however many pages give it. They must fit one another and all that is known of their txs."""
    reports, cited = [], []
    for row, transfer in enumerate(transfers):
        id, text = transfer_key(transfer.id), transfer_text(transfer)
        hashed = sha256(id + text)
        reports.append((hashed, tx_key(transfer.id.chain, transfer.id.tx), id, text))
        cited.append((n, row, hashed, canonical(transfer.evidence)))
    file.write("INSERT OR IGNORE INTO transfers VALUES (?, ?, ?, ?)", reports)
    file.write("INSERT INTO citations VALUES (?, ?, ?, ?)", cited)
    known = _reports(
        file,
        "tx IN (SELECT tx FROM transfers JOIN citations ON transfer = hash WHERE n = ?)"
        " AND hash NOT IN (SELECT transfer FROM citations WHERE n = ?)",
        n,
        n,
    )
    Ledger.of([*known, *transfers])  # raises Contradiction
    _must_be_named_alike(file, n)


def _must_be_named_alike(file: SqliteFile, n: int) -> None:
    """Refuse a page that names a payment otherwise than another source did: in one ledger it would count twice.

    Some lists tell no place in the transaction, so their readers make names up that no other source has.
    """
    told = file.rows(
        "SELECT pages.n, asked, id, body FROM citations JOIN transfers ON transfer = hash JOIN pages USING (n)"
        " WHERE tx IN (SELECT tx FROM transfers JOIN citations ON transfer = hash WHERE n = ?)",
        n,
    )
    if len({json.loads(asked)[-1] for _, asked, _, _ in told}) < 2:
        return
    gone, by_source = _replaced(file), dict[str, dict[str, set[str]]]()
    with readable("a transfer"):
        for page, asked, key, text in told:
            (chain, tx, position), body = parsed((key, text))
            if body["block"][0] <= gone.get(page, body["block"][0]):
                moved = canonical([chain, tx, body["asset"][0], body["inputs"], body["outputs"]])
                by_source.setdefault(moved, {}).setdefault(json.loads(asked)[-1], set()).add(position)
    for moved, names in by_source.items():
        for one, other in combinations(sorted(names), 2):
            if not names[one] & names[other]:
                raise CaseConflict(
                    f"{one} and {other} name one payment of {json.loads(moved)[1]} differently "
                    f"({min(names[one])}, {min(names[other])}): in one case it would count twice",
                    "read this chain from one of the two, and make a case of its own for the other",
                )


def transaction(file: SqliteFile, chain: Chain, tx: str) -> tuple[Transfer, ...]:
    """What is kept of one transaction, in order."""
    return tuple(Ledger.of(_reports(file, "tx = ?", tx_key(chain, tx))).transfers)


def holds(file: SqliteFile, id: TransferId) -> bool:
    """Whether that transfer is kept, and no reorganisation has replaced it."""
    return any(one.id == id for one in transaction(file, id.chain, id.tx))


def _reports(file: SqliteFile, which: str, *values: object) -> list[Transfer]:
    found = file.rows(f"{_REPORTS} WHERE {which} ORDER BY id, n, row", *values)
    reader, reports, gone = TransferReader(), [], _replaced(file)
    with readable("a transfer"):
        told = parsed(text for _, *texts in found for text in texts)
        for (n, *_), key, body, evidence in zip(found, told[::3], told[1::3], told[2::3], strict=True):
            transfer = reader.read(key, body, tuple(evidence))
            if transfer.block.number <= gone.get(n, transfer.block.number):
                reports.append(transfer)
    return reports


def replace_after(file: SqliteFile, source: str, address: Address, above: int, *, at: int, was: str, now: str) -> None:
    """A reorganisation replaced the blocks after `above`: what pages said of them until now counts no longer.

    It stays in the file. `was` and `now` are the two hashes of the block by which it was noticed.
    """
    with file.writing():
        n = log.next_number(file)
        body = canonical({"had": was, "has": now})
        file.write("INSERT INTO replaced VALUES (?, ?, ?, ?)", [(n, asked_of(source, address), above, body)])
        log.append(file, n, at, "reorg", statements.reorg(file, n))


def replaced(file: SqliteFile) -> Iterator[TransferId]:
    """Each transfer that a page told of a block that was replaced since; another page may tell it still."""
    for n, above in _replaced(file).items():
        found = file.rows("SELECT DISTINCT id, body FROM citations JOIN transfers ON transfer = hash WHERE n = ?", n)
        with readable("a transfer"):
            for key, body in found:
                if json.loads(body)["block"][0] > above:
                    chain, tx, position = json.loads(key)
                    yield TransferId(Chain.named(chain), tx, position)


def _replaced(file: SqliteFile) -> dict[int, int]:
    """Of each page that a reorganisation touched: the last block of which it still counts."""
    return dict(
        file.rows(
            "SELECT pages.n, min(above) FROM pages JOIN replaced USING (asked)"
            " WHERE replaced.n > pages.n GROUP BY pages.n"
        )
    )


def about(file: SqliteFile, source: str, address: Address) -> list[Transfer]:
    """Every transfer that `source` reported about `address`; that any did, without `source`."""
    if source:
        which = "n IN (SELECT n FROM pages WHERE asked = ?)"
        return list(Ledger.of(_reports(file, which, asked_of(source, address))).transfers)
    which = "n IN (SELECT n FROM pages WHERE asked >= ? AND asked < ?)"
    return list(Ledger.of(_reports(file, which, *_from_to(address.chain.name, address.text))).transfers)


def transactions(file: SqliteFile, after: str, most: int, since: int) -> tuple[str, tuple[Transfer, ...]]:
    """The transfers of the `most` transactions behind the key `after`, and the last one's key; ("", ()) at the end.

    Only those that entries after `since` reported on; the index is walked once over all pieces, however many those are.
    """
    told = "EXISTS (SELECT 1 FROM citations WHERE transfer = hash AND n > ?)"
    keys = file.rows(
        f"SELECT DISTINCT tx FROM transfers WHERE tx > ? AND {told} ORDER BY tx LIMIT ?",  # noqa: S608  our own words
        after, since, most,
    )  # fmt: skip
    if not keys:
        return "", ()
    which = "tx IN (SELECT value FROM json_each(?))"
    return str(keys[-1][0]), tuple(Ledger.of(_reports(file, which, canonical([tx for (tx,) in keys]))).transfers)


def transfers(file: SqliteFile) -> list[Transfer]:
    """Every report of every transfer, in an order that does not depend on the order of reading."""
    cited: dict[str, set[str]] = {}
    citations = file.rows("SELECT n, transfer, evidence FROM citations")
    reports = file.rows("SELECT hash, id, body FROM transfers ORDER BY id, hash")
    reader, gone = TransferReader(), _replaced(file)
    with readable("a transfer"):
        keys, bodies = parsed(key for _, key, _ in reports), parsed(body for _, _, body in reports)
        numbers = {hashed: body["block"][0] for (hashed, _, _), body in zip(reports, bodies, strict=True) if gone}
        for (n, hashed, _), evidence in zip(citations, parsed(text for *_, text in citations), strict=True):
            if n not in gone or numbers[hashed] <= gone[n]:
                cited.setdefault(hashed, set()).update(evidence)
        return [
            reader.read(key, body, tuple(sorted(cited[hashed])))
            for (hashed, _, _), key, body in zip(reports, keys, bodies, strict=True)
            if hashed in cited
        ]


def answers(file: SqliteFile, address: Address | None = None) -> list[tuple[str, Coverage]]:
    """(source asked, its final answer), in the order they were given: about one address, or about all."""
    which: str = ""
    between: tuple[str, ...] = ()
    if address is not None:
        which, between = " WHERE asked >= ? AND asked < ?", _from_to(address.chain.name, address.text)
    told, gone = [], _replaced(file)
    for n, asked, body in file.rows(
        f"SELECT pages.n, asked, body FROM coverage JOIN pages USING (n){which} ORDER BY pages.n",  # noqa: S608  our own words
        *between,
    ):
        with readable(f"the coverage of entry {n}"):
            answer = coverage_of(json.loads(body))
            if n in gone and answer.last is not None and answer.last > gone[n]:
                answer = replace(answer, last=gone[n], tip="", balances=())
            told.append((json.loads(asked)[-1], answer))
    return told


def unfinished(file: SqliteFile) -> list[tuple[str, Coverage]]:
    """(source asked, as far as it got) for histories of which not all pages were read."""
    got: dict[str, list[tuple[str | None, int]]] = {}
    for asked, evidence, rows in file.rows(
        "SELECT asked, evidence, (SELECT count(*) FROM citations WHERE citations.n = pages.n) FROM pages"
        " WHERE asked NOT IN (SELECT asked FROM pages JOIN coverage USING (n)) ORDER BY pages.n"
    ):
        got.setdefault(asked, []).append((evidence, rows))
    told = []
    for asked, pages in got.items():
        with readable(f"the question {asked:.200}"):
            chain, text, source = json.loads(asked)
            answer = Coverage(
                Address(Chain.named(chain), text), State.CUT, frozenset(), source, pages[-1][0] or "",
                rows=sum(rows for _, rows in pages),
                reason=f"reading stopped after page {len(pages)} of its history; run it again to go on",
            )  # fmt: skip
            told.append((source, answer))
    return told


def cursor(file: SqliteFile, source: str, address: Address, *, any_page: bool = True) -> str:
    """Where to go on reading `address` from `source`, "" at the beginning; or where the last page with a cursor was,
    unless a reorganisation replaced some of what was read before it."""  # fmt: skip
    which = "" if any_page else (
        " AND cursor <> '\"\"' AND n > (SELECT coalesce(max(n), 0) FROM replaced WHERE replaced.asked = pages.asked)"
    )  # fmt: skip
    sql = f"SELECT cursor FROM pages WHERE asked = ?{which} ORDER BY n DESC LIMIT 1"  # noqa: S608  our own words
    found = file.rows(sql, asked_of(source, address))
    with readable(f"the cursor of {address}"):
        return str(json.loads(found[0][0])) if found else ""


def evidence_of(file: SqliteFile, cited: str) -> Evidence:
    """The raw bytes of an id, which may have a row behind `#`. Raises `CaseConflict` or `CaseDamaged`."""
    found = file.rows("SELECT source, request, body FROM evidence WHERE id = ?", cited.partition("#")[0])
    if not found:
        raise CaseConflict(f"the case holds no evidence {cited:.80}", "copy the whole id, from sha256: on")
    ((source, request, body),) = found
    try:
        raw = unpacked(body)
    except ValueError as error:
        raise CaseDamaged(f"the evidence {cited:.80} cannot be had: {error}", "go back to a copy") from None
    with readable(f"the evidence {cited:.80}"):
        return Evidence(raw, json.loads(source), json.loads(request))
