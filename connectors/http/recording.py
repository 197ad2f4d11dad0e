"""Records what passes the seam into a file, and plays it back: a request that was not recorded is a failure."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.http.protocol import Request, Response, Transport, Unanswered
from tracer.errors import InputError

_BEGINNING = b'{"at": '  # of every line that is written here


class Recording:
    """Sends through `inner` and appends request and answer to `path`, a JSON object a line, without secrets."""

    def __init__(self, inner: Transport, path: Path) -> None:
        self._inner, self._path, self._begun = inner, path, False

    def send(self, request: Request) -> Response:
        """See `Transport`. Raises `InputError` where the file cannot be written."""
        try:
            if not self._begun:
                self._begin()
            response = self._inner.send(request)
            self._append(json.dumps({"request": str(request), **_told(response)}, sort_keys=True).encode() + b"\n")
        except OSError as error:
            raise InputError(f"{self._path} cannot be written: {error.strerror}", "name another file") from None
        return response

    def _begin(self) -> None:
        """Make the file, for its owner alone; a line whose writing was cut off was never used, and goes."""
        with open(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            size = whole = file.seek(0, os.SEEK_END)
            file.seek(0)
            if size and not file.read(len(_BEGINNING)).startswith(_BEGINNING[:size]):
                told = f"{self._path} is there already and holds no recorded answers: nothing was written to it"
                raise InputError(told, "name another file, or one made with --record")
            while whole:
                begin = max(0, whole - 65536)
                file.seek(begin)
                end = file.read(whole - begin).rfind(b"\n")
                whole = begin + end + 1
                if end >= 0:
                    break
            if whole < size:
                file.truncate(whole)
        self._begun = True

    def _append(self, line: bytes) -> None:
        with open(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as out:
            while line:
                line = line[out.write(line) :]


class Replay:
    """Answers as recorded: the same request gets its answers in their order, the last of them from then on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: dict[str, list[Response]] = {}
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", "name a file made with --record") from None
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                self._answers.setdefault(_of(str, record["request"]), []).append(_response(record))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise InputError(
                    f"{path}, line {number} is no recorded answer: {error!r:.100}", "record it again"
                ) from None

    def send(self, request: Request) -> Response:
        """See `Transport`. Raises `Unanswered` for what was never recorded; nothing is ever asked for it."""
        answers = self._answers.get(str(request))
        if not answers:
            raise Unanswered(f"{self._path.name} holds no answer to: {request}", again=False, down=False)
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _told(response: Response) -> dict[str, Any]:
    told: dict[str, Any] = {"status": response.status, "headers": dict(response.headers), "at": response.at}
    try:
        return {**told, "text": response.body.decode()}
    except UnicodeDecodeError:
        return {**told, "base64": base64.b64encode(response.body).decode()}


def _response(record: Mapping[str, Any]) -> Response:
    if "text" in record:
        body = _of(str, record["text"]).encode()
    else:
        body = base64.b64decode(_of(str, record["base64"]), validate=True)
    headers = {_of(str, name): _of(str, value) for name, value in _of(dict, record["headers"]).items()}
    return Response(_of(int, record["status"]), body, headers, _of(int, record["at"]))


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.40} is no {kind.__name__}")
    return value


__all__ = ["Recording", "Replay"]
