"""Recording and playing back: the same answers in the same order, nothing secret, and nothing made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.http.judging import as_json
from connectors.http.network import Network
from connectors.http.protocol import Request, Response, Unanswered
from connectors.http.recording import Recording, Replay
from connectors.http.retrying import Patience
from loopback import listening, reply
from tracer.errors import InputError, SourceSkipped
from virtual_clock import VirtualClock

SECRET = Request("https://x.org/{key}", secret_params={"apikey": "k3yk3yk3y"}, secret_key="p4thp4th")


class Says:
    """Gives one answer after the other."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)

    def send(self, request: Request) -> Response:
        return self.answers.pop(0)


@given(
    st.lists(
        st.builds(
            Response, st.integers(100, 599), st.binary(max_size=50) | st.text(max_size=50).map(str.encode),
            st.dictionaries(st.sampled_from(["date", "retry-after"]), st.text(max_size=9)), st.integers(0, 2**40),
        ), min_size=1, max_size=5,
    )
)  # fmt: skip
def test_what_was_answered_is_answered_again(tmp_path_factory: pytest.TempPathFactory, given: list[Response]) -> None:
    path = tmp_path_factory.mktemp("recording") / "answers.jsonl"
    recording = Recording(Says(*given), path)
    assert [recording.send(SECRET) for _ in given] == given
    replay = Replay(path)
    assert [replay.send(SECRET) for _ in given] == given
    assert replay.send(SECRET) == given[-1]


def test_another_request_is_never_answered_with_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    Recording(Says(Response(200, b"{}")), path).send(Request("https://x.org", params={"a": "1"}))
    network = Network(replay=path, clock=VirtualClock())
    door = network.door("made-up:x", "rpc", "https://x.org", as_json)
    assert door.send(Request("https://x.org", params={"a": "1"})).body == b"{}"
    for other in (
        Request("https://x.org", params={"a": "2"}),
        Request("https://x.org", "POST", params={"a": "1"}),
        Request("https://x.org", params={"a": "1"}, body=b"x"),
        Request("http://x.org", params={"a": "1"}),
    ):
        with pytest.raises(SourceSkipped, match="holds no answer to"):
            door.send(other)


def test_no_secret_is_recorded_and_only_the_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    body = b'{"error": "key k3yk3yk3y is unknown, path /p4thp4th, login u5er:pa55word or dTVlcjpwYTU1d29yZA=="}'
    login = {"authorization": "Basic dTVlcjpwYTU1d29yZA=="}
    with listening(lambda _: [reply(body, content_type="k3yk3yk3y")]) as server:
        request = Request(
            server.url + "/{key}", secret_params=SECRET.secret_params, secret_key="p4thp4th", secret_headers=login
        )
        Network(record=path).door("made-up:x", "rpc", server.url, as_json).send(request)
    text = path.read_text()
    for secret in ("k3yk3yk3y", "p4thp4th", "pa55word", "dTVlcjpwYTU1d29yZA"):
        assert secret not in text
    assert text.count("[key withheld]") == 5
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_answer_that_says_later_is_not_waited_for_when_played_back(tmp_path: Path) -> None:
    path, clock = tmp_path / "answers.jsonl", VirtualClock()
    recording = Recording(Says(Response(429, b"", {"retry-after": "200"}), Response(200, b"[]")), path)
    for _ in range(2):
        recording.send(SECRET)
    door = Network(replay=path, clock=clock, patience=Patience()).door("made-up:x", "rpc", "https://x.org", as_json)
    assert door.send(SECRET).body == b"[]"
    assert clock.slept == []


@pytest.mark.parametrize("torn", [b'{"request": "GET h', b"x" * 200_000, b"{"])
def test_a_line_whose_writing_was_cut_off_is_begun_anew(torn: bytes, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    Recording(Says(Response(200, b"[1]")), path).send(SECRET)
    with path.open("ab") as file:
        file.write(torn)
    Recording(Says(Response(200, b"[2]")), path).send(SECRET)
    replay = Replay(path)
    assert [replay.send(SECRET).body for _ in range(2)] == [b"[1]", b"[2]"]


@pytest.mark.parametrize("other", [b"SQLite format 3\0 and no line end", b"notes\nof mine", b'{"a": 1}', b"x"])
def test_a_file_of_something_else_is_not_written_to(other: bytes, tmp_path: Path) -> None:
    path = tmp_path / "my.fundtrail"
    path.write_bytes(other)
    with pytest.raises(InputError, match="nothing was written to it"):
        Recording(Says(Response(200, b"[1]")), path).send(SECRET)
    assert path.read_bytes() == other


@pytest.mark.parametrize("torn", [b"{", b'{"at":', b'{"at": 1, "head'])
def test_a_recording_that_was_cut_off_in_its_first_line_is_begun_anew(torn: bytes, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(torn)
    Recording(Says(Response(200, b"[1]")), path).send(SECRET)
    assert Replay(path).send(SECRET).body == b"[1]"


GOOD = {"request": "GET x", "status": 200, "headers": {}, "at": 0, "text": "x"}


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"7", b"null", b"\xff\xfe", b"\x00", b"[" * 100_000,
     *(json.dumps({**GOOD, name: value}).encode() for name, value in
       [("request", 1), ("status", "200"), ("status", True), ("headers", []), ("headers", {"a": 1}), ("at", "x"),
        ("text", 5), ("text", None), ("text", "\ud800")]),
     *(json.dumps({key: value for key, value in GOOD.items() if key != name}).encode() for name in GOOD),
     json.dumps({**{key: value for key, value in GOOD.items() if key != "text"}, "base64": "!"}).encode()],
)  # fmt: skip
def test_a_line_that_is_no_answer_is_an_error_that_names_it(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b"\n" + line + b"\n")
    with pytest.raises(InputError, match=r"answers.jsonl, line 2 is no recorded answer"):
        Replay(path)


def test_a_file_that_is_not_there_or_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Replay(tmp_path / "none")
    with pytest.raises(InputError, match="cannot be written"):
        Recording(Says(Response(200, b"")), tmp_path / "none" / "x").send(SECRET)
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(Unanswered):
        Replay(tmp_path / "empty").send(SECRET)
