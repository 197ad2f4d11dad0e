"""Writing files: each appears whole or not at all, private to the user, and replaces nothing unless told to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tracer.errors import CaseConflict, CaseError


def write_new(files: Mapping[Path, bytes], *, force: bool = False) -> None:
    """Write all of `files`; folders are made. Without `force` none is written if one exists already.

    Raises `CaseConflict` where a file stands, `CaseError` where the disk or the folder does not let us write.
    """
    standing = sorted(str(path) for path in files if os.path.lexists(path))
    if standing and not force:
        raise _stands(standing[0])
    try:
        ready = _prepared(files)
    except OSError as error:
        raise _refused(error) from error
    try:
        for temporary, path in ready:
            if force:
                os.replace(temporary, path)
            else:
                _placed(temporary, path)
        for folder in sorted({path.parent for path in files}):
            _kept(folder)
    except FileExistsError as error:
        raise _stands(str(error.filename2 or error.filename)) from error
    except OSError as error:
        raise _refused(error) from error
    finally:
        _dropped([temporary for temporary, _ in ready])


def _prepared(files: Mapping[Path, bytes]) -> list[tuple[str, Path]]:
    """All bytes on the disk under names of their own: a full disk is found out before anything is replaced."""
    ready: list[tuple[str, Path]] = []
    try:
        for path, body in files.items():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
            ready.append((temporary, path))
            with open(descriptor, "wb") as out:
                out.write(body)
                out.flush()
                os.fsync(out.fileno())
    except BaseException:
        _dropped([temporary for temporary, _ in ready])
        raise
    return ready


def _placed(temporary: str, path: Path) -> None:
    """Give the file its name, unless somebody else made one of that name meanwhile."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: the check has to do
        if os.path.lexists(path):
            raise FileExistsError(None, None, str(path)) from None
        os.replace(temporary, path)


def _kept(folder: Path) -> None:
    """Make the names as lasting as the bytes, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _dropped(temporaries: list[str]) -> None:
    for temporary in temporaries:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _stands(path: str) -> CaseConflict:
    return CaseConflict(f"{path} exists already", "choose another place, or say --force to replace it")


def _refused(error: OSError) -> CaseError:
    where = f" {error.filename}" if error.filename else ""
    return CaseError(
        f"cannot write{where}: {error.strerror or error}", "check the space on the disk and who may write there"
    )
