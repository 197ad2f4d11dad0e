"""Records what passes the seam into a file, and plays it back: a request that was not recorded is a failure."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from connectors.http.protocol import Request, Response, Transport, Unanswered
from tracer.errors import InputError


class Recording:
    """Sends through `inner` and appends request and answer to `path`, a JSON object a line, without secrets."""

    def __init__(self, inner: Transport, path: Path) -> None:
        self._inner, self._path = inner, path

    def send(self, request: Request) -> Response:
        """See `Transport`."""
        response = self._inner.send(request)
        line = json.dumps({"request": str(request), **_told(response)}, sort_keys=True) + "\n"
        with open(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as out:
            out.write(line)
        return response


class Replay:
    """Answers as recorded: the same request gets its answers in their order, the last of them from then on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: dict[str, list[Response]] = {}
        try:
            lines = path.read_text().splitlines()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", "name a file made with --record") from None
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                self._answers.setdefault(record["request"], []).append(_response(record))
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{path}, line {number} is no recorded answer: {error!r:.100}", "record it again"
                ) from None

    def send(self, request: Request) -> Response:
        """See `Transport`. Raises `Unanswered` for what was never recorded; nothing is ever asked for it."""
        answers = self._answers.get(str(request))
        if not answers:
            raise Unanswered(f"{self._path.name} holds no answer to: {request}", again=False)
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _told(response: Response) -> dict[str, Any]:
    told: dict[str, Any] = {"status": response.status, "headers": dict(response.headers), "at": response.at}
    try:
        return {**told, "text": response.body.decode()}
    except UnicodeDecodeError:
        return {**told, "base64": base64.b64encode(response.body).decode()}


def _response(record: dict[str, Any]) -> Response:
    body = record["text"].encode() if "text" in record else base64.b64decode(record["base64"])
    return Response(record["status"], body, record["headers"], record["at"])


__all__ = ["Recording", "Replay"]
