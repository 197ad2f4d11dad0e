"""The folder on disk: its manifest, how its files are laid out, written safely and verified.

A ledger is a folder of fixed-width records and one `manifest.json`, which names every file, how many of its bytes
count, and the SHA-256 of each 64 MiB of them. Nothing is true until the manifest says so: an ingest writes beside
what is there (longer files, or files under a new name), flushes them to the disk, and then puts the new manifest in
the place of the old one in one step. So an ingest that is killed leaves the ledger as it was before.

Files, all little-endian, in records of unsigned integers:

`rows`       accounts, 5 x 64 bits: tx | position << 32; payer hid | payee hid << 32; low; high; source | row << 32
             coins, 4 x 64 bits: tx | position << 32; first leg | collects fees << 63; inputs | legs << 32;
             source | row << 32
`legs`       coins, 3 x 64 bits: hid | address << 32; low; high. The inputs first, then the outputs
`txs`        12 x 32 bits: the 32 bytes of the hash; block; time; place in block (two's complement); its first row
`holdings`   32-bit words: key; asset | sink code << 24; next holding of the same address; [text number]. The key of
             an account is its 20 bytes (EVM) or the SHA-256 of its text; that of a coin its outpoint: tx, index
`owners`     coins: the address number of each holding, 2**32 - 1 for none
`owned`      coins: holdings by address number, each a run of `owned_at[n]:owned_at[n + 1]`
`texts`      addresses as text, one after the other; `text_ends`: where each ends
`text_keys`  coins, 10 x 32 bits: the SHA-256 of each address's text, and two words that mean nothing
`events-N`   48 bytes each, by holding and in order (`connectors.bulk.events`); holding h has
             `starts-N[h]:starts-N[h + 1]`. One pair of files for each stretch of the ledger
`order`      ordinal -> row, `places` row -> ordinal: only where rows did not arrive in order
`repeats`    evidence beyond the first, 2 x 64 bits: row; source | row in the file << 32. Sorted
`large`      amounts of 2**128 and above: row, 64 bits, and 32 bytes, big-endian. There `low` and `high` are all ones
`by_*`       hash tables from keys to records (`connectors.bulk.tables`); `by_*-N` has what was added later, and what
             it has of an address is what counts
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tracer.errors import InputError
from tracer.values import Chain, Family, SinkKind

FORMAT = "fundtrail-ledger/1"
MANIFEST = "manifest.json"
PART = 64 * 1024**2  # bytes under one hash, so that what grows at its end need not be hashed anew
_AT_A_TIME = 1024**2
NONE = 2**32 - 1  # no record, in any 32-bit field
FULL = 2**64 - 1  # `low` and `high` of an amount that stands in `large` (or is 2**128 - 1 itself)

EVENT_BYTES = 48
# The flags of an event: `connectors.bulk.events` says what they mean.
OUT, OWN, MULTI, LEAD, PASSED, UNSURE, MANY, TOLD = 1, 2, 4, 8, 16, 32, 64, 128

# 0 in a sink column: no sink, an address or a coin. These numbers are stored on disk and never change.
SINKS: dict[int, SinkKind] = {
    1: SinkKind.FEE,
    2: SinkKind.BURN,
    3: SinkKind.ISSUE,
    4: SinkKind.UNSPENDABLE,
    5: SinkKind.SEIZED,
}
SINK_CODES: dict[SinkKind, int] = {kind: code for code, kind in SINKS.items()}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the folder: the first `size` bytes of `file` count, and `parts` are the hashes of each 64 MiB."""

    file: str
    size: int
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was ingested. `read` of its rows are in the ledger; `finished` once all of them are."""

    file: str
    sha256: str
    size: int
    format: str
    read: int = 0
    added: int = 0
    repeated: int = 0
    rejected: int = 0
    contradictions: int = 0
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is true of a ledger folder.

    `assets`: [contract, symbol, decimals] by asset number, 0 the chain's coin. `whole`: the user states that the
    sources hold every transfer, of the kinds they show, in `first_block`..`last_block`. `salt` keeps hostile keys
    from colliding in the hash tables. `overwritten`: [tx number, hash, block] of coinbases that a later one of the
    same hash took the place of (BIP30). `odd`: transaction ids that are not 32 bytes in hex, by the key that stands
    for them. `stretches`: the ordinal at which each stretch of events begins. `two_way`: sinks that both paid and got,
    whose balance is worked out when asked.
    """

    chain: str
    salt: int
    generation: int = 0
    transfers: int = 0
    transactions: int = 0
    holdings: int = 0
    addresses: int = 0
    legs: int = 0
    events: int = 0
    first_block: int = 0
    last_block: int = -1
    last_time: int = 0
    whole: bool = False
    assets: tuple[tuple[str, str, int], ...] = ()
    positions: tuple[str, ...] = ("tx",)
    sources: tuple[Source, ...] = ()
    overwritten: tuple[tuple[int, str, int], ...] = ()
    odd: Mapping[str, str] = field(default_factory=dict)
    stretches: tuple[int, ...] = ()
    two_way: tuple[int, ...] = ()
    files: Mapping[str, StoredFile] = field(default_factory=dict)

    @property
    def on(self) -> Chain:
        """The chain. Raises `UnknownName`."""
        return Chain.named(self.chain)

    @property
    def coins(self) -> bool:
        """True for a chain that keeps value in unspent outputs."""
        return self.on.family is Family.BITCOIN

    @property
    def key_words(self) -> int:
        """How many 32-bit words name a holding, its asset apart."""
        return {Family.EVM: 5, Family.TRON: 8, Family.BITCOIN: 9}[self.on.family]

    @property
    def holding_words(self) -> int:
        """The width of a record in `holdings`."""
        return self.key_words + (3 if self.on.family is Family.TRON else 2)


def load(folder: Path) -> Manifest:
    """The manifest of a ledger folder. Raises `InputError` where there is none, or none that we can read."""
    path = folder / MANIFEST
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        if not folder.exists():
            raise InputError(f"there is no file or folder {folder}", "fundtrail ingest makes one") from None
        raise InputError(
            f"{folder} is not a ledger folder: it has no {MANIFEST}", "fundtrail ingest makes one"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}", "ingest the sources again into a new folder") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        told = record.get("format") if isinstance(record, dict) else None
        raise InputError(f"{path} is of format {told!r:.60}, this version reads {FORMAT}", "use a matching version")
    try:
        return _manifest_of(record)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error!r:.100}", "ingest the sources again into a new folder") from None


def save(folder: Path, manifest: Manifest) -> None:
    """Put the manifest in place in one step, flushed to the disk."""
    path = folder / MANIFEST
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as stream:
        json.dump({"format": FORMAT, **asdict(manifest)}, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)
    _flush_folder(folder)


LOCK = "ingest.lock"


def begin(folder: Path, chain: Chain) -> Manifest:
    """The manifest to go on from: that of the folder, cleared of what a killed ingest left, or one of an empty ledger.

    Raises `InputError` for a folder of another chain, or one that holds other things.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MANIFEST).exists():
        strangers = [path.name for path in folder.iterdir() if not _ours(path)]
        if strangers:
            raise InputError(f"{folder} holds other files: {min(strangers)}", "name a new or empty folder")
        coin = chain.coin
        salt = int.from_bytes(os.urandom(8), "little")
        return Manifest(chain.name, salt, assets=(("", coin.symbol, coin.decimals),))
    manifest = load(folder)
    if manifest.chain != chain.name:
        raise InputError(f"{folder} is a ledger of {manifest.chain}, not of {chain}", "one folder holds one chain")
    return manifest


def tidy(folder: Path, manifest: Manifest) -> None:
    """Remove what no manifest speaks of: files of an earlier state, or of an ingest that was killed."""
    sizes = {one.file: one.size for one in manifest.files.values()}
    for path in folder.iterdir():
        if _ours(path) and path.name != LOCK and path.name not in sizes:
            path.unlink()
        elif path.name in sizes:
            size = path.stat().st_size
            if size < sizes[path.name]:
                raise InputError(
                    f"{path} has {size} bytes, the manifest tells of {sizes[path.name]}",
                    "the folder is damaged: ingest the sources again into a new one",
                )
            if size > sizes[path.name]:
                os.truncate(path, sizes[path.name])


def _ours(path: Path) -> bool:
    """Whether an ingest may have made it: nothing else in the folder is ever touched."""
    named = path.name == LOCK or path.suffix in (".bin", ".new")
    return named or (path.suffix == ".jsonl" and path.name.startswith("rejected"))


def must_be_free(folder: Path) -> None:
    """Raise `InputError` if the folder is somebody else's, before anything is made in it."""
    if folder.is_dir() and not (folder / MANIFEST).exists() and not (folder / LOCK).exists():
        there = sorted(path.name for path in folder.iterdir())
        if there:
            raise InputError(f"{folder} holds other files: {there[0]}", "name a new or empty folder")
    elif folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file", "name a new or empty folder")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a second ingest out. The lock goes with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"another ingest is writing to {folder}", "wait until it has ended") from None
        yield


def sealed(folder: Path, file: str, size: int, before: StoredFile | None = None) -> StoredFile:
    """The file as the manifest will name it, hashed from the first part that `before` has not; flushed to the disk.

    Raises `InputError` where the file has fewer bytes than that: no manifest may name what is not there.
    """
    kept = before.parts[: before.size // PART] if before and before.file == file else ()
    parts = (*kept, *_hashes(folder / file, size, len(kept)))
    with (folder / file).open("rb") as stream:
        os.fsync(stream.fileno())
        there = os.fstat(stream.fileno()).st_size
    if there < size:
        raise InputError(
            f"{folder / file} has {there} bytes, and {size} were written to it",
            "nothing of it was committed: check the disk, then give the same command again",
        )
    return StoredFile(file, size, parts)


def _hashes(path: Path, size: int, first: int = 0) -> Iterator[str]:
    """The hash of each part of the file's first `size` bytes, from part number `first` on."""

    def hashed(at: int) -> str:
        digest, left = hashlib.sha256(), min(PART, size - at)
        piece = memoryview(bytearray(min(_AT_A_TIME, left)))  # one for all: new memory costs more than its hash
        with path.open("rb", buffering=0) as stream:
            stream.seek(at)
            while left and (got := stream.readinto(piece[:left])):
                digest.update(piece[:got])
                left -= got
        return digest.hexdigest()

    with ThreadPoolExecutor(2) as threads:
        yield from threads.map(hashed, range(first * PART, size, PART))


def verify(folder: Path) -> tuple[str, ...]:
    """Read everything and compare with the manifest: what is wrong, in words; () where all is as it was written."""
    wrong = []
    for name, stored in sorted(load(folder).files.items()):
        path = folder / stored.file
        size = path.stat().st_size if path.exists() else -1
        if size < stored.size:
            wrong.append(
                f"{stored.file} ({name}) " + ("is missing" if size < 0 else f"has {size} bytes of {stored.size}")
            )
            continue
        for number, (expected, found) in enumerate(zip_longest(stored.parts, _hashes(path, stored.size))):
            if found != expected:
                wrong.append(f"{stored.file} ({name}) differs from what was written, from byte {number * PART}")
                break
    return tuple(wrong)


def _manifest_of(record: dict[str, Any]) -> Manifest:
    record = {name: value for name, value in record.items() if name != "format"}
    record["assets"] = tuple((str(a), str(b), int(c)) for a, b, c in record["assets"])
    record["overwritten"] = tuple((int(a), str(b), int(c)) for a, b, c in record["overwritten"])
    record["sources"] = tuple(Source(**one) for one in record["sources"])
    record["positions"] = tuple(map(str, record["positions"]))
    for name in ("stretches", "two_way"):
        record[name] = tuple(map(int, record[name]))
    files = {name: StoredFile(**one) for name, one in record["files"].items()}
    for stored in files.values():
        if Path(stored.file).name != stored.file:
            raise ValueError(f"a file outside the folder: {stored.file}")
    record["files"] = {name: replace(one, parts=tuple(one.parts)) for name, one in files.items()}
    return Manifest(**record)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
