"""Opens the files people bring, plain, gzip or xz, with caps on what comes out of them."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from tracer.errors import InputError

_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that is read from one file, in bytes after decompression: in all, and per line or answer.

    A few kilobytes of gzip can hold terabytes of zeros; without a cap, one hostile file fills the memory.
    """

    total: int = 2 * 1024**3
    line: int = 64 * 1024**2


CAPS = Caps()


def lines(path: Path, caps: Caps = CAPS) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1, as bytes, line ends included. Raises `InputError`.

    Plain, gzip and xz are told apart by their first bytes, so a wrong ending of the name does no harm.
    """
    with _opened(path) as stream:
        total = number = 0
        while raw := stream.readline(caps.line + 1):
            number += 1
            total += len(raw)
            if len(raw) > caps.line:
                raise _too_much(f"{path}, line {number}", caps.line)
            if total > caps.total:
                raise _too_much(str(path), caps.total)
            yield number, raw


def whole(path: Path, caps: Caps = CAPS) -> bytes:
    """All bytes of a file that is one answer. Raises `InputError`."""
    most = min(caps.line, caps.total)
    with _opened(path) as stream:
        body = stream.read(most + 1)
    if len(body) > most:
        raise _too_much(str(path), most)
    return body


def text_of(raw: bytes, where: str) -> str:
    """The bytes as text, which must be UTF-8; a byte order mark in front is taken off. Raises `InputError`.

    >>> text_of(bytes([239, 187, 191, 111, 107]), "a.csv, line 1")
    'ok'
    """
    try:
        return raw.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where} is not UTF-8: byte {error.start + 1} is 0x{raw.removeprefix(BOM)[error.start]:02x}",
            "save the file as UTF-8 text",
        ) from None


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    """The file's content as a stream of bytes; whatever goes wrong while it is read becomes an `InputError`."""
    if not path.is_file():  # a pipe or a device could keep us for ever
        raise InputError(f"there is no file {path}" if not path.exists() else f"{path} is not a file", "check the path")
    try:
        with path.open("rb") as plain:
            start = plain.read(len(_XZ))
            plain.seek(0)
            if start.startswith(_GZIP):
                with gzip.GzipFile(fileobj=plain) as stream:
                    yield stream
            elif start == _XZ:
                with lzma.LZMAFile(plain) as stream:
                    yield stream
            else:
                yield plain
    except EOFError:
        raise InputError(
            f"{path} ends too early: the compressed file is truncated", "copy or download it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path} cannot be decompressed: {error}", "copy or download it again") from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", "check the path and your rights to it"
        ) from None


def _too_much(where: str, most: int) -> InputError:
    return InputError(f"{where} is longer than {most:,} bytes", "split the file; nothing of it was used")
