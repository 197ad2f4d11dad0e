"""Asking again: as often as patience allows, never earlier than told, and no longer than a dead source deserves."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.http.judging import Again, Skip, Stop, Use, Verdict, as_json, by_status, retry_after
from connectors.http.keeping import Keeping
from connectors.http.protocol import Request, Response, Unanswered
from connectors.http.retrying import Patience, Retrying
from connectors.strict_json import parse_json
from tracer.errors import SourceSkipped, SourceUnusable
from virtual_clock import VirtualClock

ASKED = Request("https://x.org/v1", secret_params={"apikey": "k3yk3yk3y"})
GOOD = Response(200, b'{"ok": true}')
NOON = 1_700_000_000  # Tue, 14 Nov 2023 22:13:20 GMT


class Says:
    """Gives one after the other, the last one from then on; `at` has when each was asked for."""

    def __init__(self, clock: VirtualClock, answers: Iterable[Response | Exception]) -> None:
        self.clock, self.answers = clock, list(answers)
        self.at: list[float] = []

    def send(self, request: Request) -> Response:
        self.at.append(self.clock.monotonic())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def asking(*answers: Response | Exception, patience: Patience | None = None) -> tuple[Retrying, Says]:
    clock = VirtualClock()
    says = Says(clock, answers)
    return Retrying(says, "made-up:x", as_json, clock, patience), says


def waits(says: Says) -> list[float]:
    return [later - sooner for sooner, later in zip(says.at, says.at[1:], strict=False)]


@pytest.mark.parametrize(
    ("told", "least"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tuesday, 14-Nov-23 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 23:13:50 +0100", 30.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
    ],
)
def test_nothing_is_asked_earlier_than_the_source_says(told: str, least: float) -> None:
    retrying, says = asking(Response(429, b"slow down", {"retry-after": told}, NOON), GOOD)
    assert retrying.send(ASKED) is GOOD
    (wait,) = waits(says)
    assert wait >= least


def test_after_no_seconds_is_no_leave_to_ask_as_fast_as_we_can() -> None:
    retrying, says = asking(Response(429, b"", {"retry-after": "0"}))
    with pytest.raises(SourceSkipped):
        retrying.send(ASKED)
    assert all(waits(says))


def test_a_date_is_counted_by_the_clock_of_whoever_named_it() -> None:
    ours_is_fast = Response(
        429, b"", {"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT", "date": "Tue, 14 Nov 2023 22:13:20 GMT"}, NOON + 7200
    )
    assert retry_after(ours_is_fast) == 60.0


@pytest.mark.parametrize(
    "told",
    ["", "soon", "-5", "1e9", "1.5", "9" * 400, "٣", "Tue, 14 Nov 99999999999 22:13:50 GMT", "Tue, 99 Foo 2023",
     "Tue, 14 Nov 2023 22:13:50 +9999999", "\x00", "Tue", ",,,"],
)  # fmt: skip
def test_a_retry_after_that_says_nothing_is_none(told: str) -> None:
    assert retry_after(Response(429, b"", {"retry-after": told}, NOON)) is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 599])
def test_what_may_pass_is_asked_for_again_and_waited_for_longer_each_time(status: int) -> None:
    retrying, says = asking(Response(status, b"<html>busy</html>"))
    with pytest.raises(SourceSkipped, match=f"asked 6 times: HTTP status {status}: <html>busy") as caught:
        retrying.send(ASKED)
    assert len(says.at) == 6
    for number, wait in enumerate(waits(says)):
        assert 0 < wait <= 2**number
    assert caught.value.body == b"<html>busy</html>"
    assert caught.value.request == "GET https://x.org/v1"


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 407])
def test_what_will_not_pass_stops_the_run_at_once(status: int) -> None:
    retrying, says = asking(Response(status, b"no"))
    with pytest.raises(SourceUnusable, match=f"HTTP status {status}"):
        retrying.send(ASKED)
    assert len(says.at) == 1


@pytest.mark.parametrize("status", [201, 204, 206, 400, 404, 405, 410, 422])
def test_what_concerns_this_request_alone_skips_it(status: int) -> None:
    retrying, says = asking(Response(status, b"no such thing"))
    with pytest.raises(SourceSkipped, match="no such thing"):
        retrying.send(ASKED)
    assert len(says.at) == 1


WHOLE = b'{"result": [{"value": "1", "nested": [[]]}, {"value": "2"}]}'


@pytest.mark.parametrize("cut", range(len(WHOLE)))
def test_an_answer_cut_at_any_byte_is_never_used(cut: int) -> None:
    assert isinstance(as_json(Response(200, WHOLE[:cut])), Again)
    assert isinstance(as_json(Response(200, WHOLE)), Use)


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"", Again), (b" ", Again), (b"null", Again), (b'"Max rate limit"', Again), (b"<html></html>", Again),
        (b"\xff{}", Again), (b'{"a": "\xff"}', Again), (b"{}{}", Again), (b"[1,]", Again), (b"\xef\xbb\xbf[]", Again),
        (b"[" * 60_000 + b"]" * 60_000, Skip), (b'{"a":' * 60_000 + b"1" + b"}" * 60_000, Skip),
        (b"[" + b"9" * 10_000 + b"]", Use), (b"[NaN, 1e80, -Infinity]", Use), (b"[]", Use), (b'{"a": 1, "a": 2}', Use),
    ],
)  # fmt: skip
def test_json_is_told_from_what_only_looks_like_it(body: bytes, verdict: type) -> None:
    """Which numbers it may hold is not the judge's question but `strict_json`'s."""
    assert isinstance(as_json(Response(200, body)), verdict)


def test_a_judge_that_cannot_read_an_answer_does_not_end_the_run() -> None:
    def judge(response: Response) -> Verdict:
        return Use() if parse_json(response.body.decode(), "answer") else Skip("nothing")

    clock = VirtualClock()
    for body in (b"[NaN]", b"\xff", b"[1"):
        says = Says(clock, [Response(200, body), GOOD])
        assert Retrying(says, "made-up:x", judge, clock).send(ASKED) is GOOD


def test_a_quota_that_is_spent_ends_the_run_and_says_when_to_come_back() -> None:
    retrying, says = asking(Response(429, b"daily limit", {"retry-after": "3600"}))
    with pytest.raises(SourceUnusable, match="asks to wait 3600 s") as caught:
        retrying.send(ASKED)
    assert "goes on where it was" in caught.value.hint
    assert len(says.at) == 1
    assert waits(says) == []


def test_after_three_requests_in_a_row_without_an_answer_the_source_is_down() -> None:
    retrying, says = asking(Unanswered("no answer in time", body=b"half"))
    for _ in range(2):
        with pytest.raises(SourceSkipped):
            retrying.send(ASKED)
    with pytest.raises(SourceUnusable, match="did not answer, asked 6 times: no answer in time") as caught:
        retrying.send(ASKED)
    assert caught.value.body == b"half"
    assert len(says.at) == 18


def test_what_cannot_be_asked_again_counts_as_no_answer_too() -> None:
    retrying, says = asking(Unanswered("its certificate is not valid", again=False))
    for _ in range(2):
        with pytest.raises(SourceSkipped, match="did not answer: its certificate"):
            retrying.send(ASKED)
    with pytest.raises(SourceUnusable):
        retrying.send(ASKED)
    assert len(says.at) == 3


@pytest.mark.parametrize(
    "between", [GOOD, Response(404, b"no such address"), Unanswered("longer than", again=False, down=False)]
)
def test_a_source_that_answers_in_between_is_not_down(between: Response | Exception) -> None:
    bad, patience = Unanswered("no answer in time"), Patience(attempts=1)
    retrying, _ = asking(bad, bad, between, bad, bad, between, patience=patience)
    told = []
    for _ in range(6):
        try:
            retrying.send(ASKED)
            told.append("used")
        except SourceSkipped:
            told.append("skipped")
    assert len(told) == 6


ANSWERS = st.sampled_from(
    [
        GOOD, Response(200, b"[1"), Response(429, b""), Response(429, b"", {"retry-after": "3"}), Response(503, b"x"),
        Response(429, b"", {"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, NOON), Response(404, b"x"),
        Response(429, b"", {"retry-after": "400"}), Unanswered("reset"), Unanswered("proxy", again=False),
    ]
)  # fmt: skip


@given(st.lists(ANSWERS, min_size=1, max_size=40))
def test_whatever_comes_the_calls_are_bounded_and_none_is_early(answers: list[Response | Exception]) -> None:
    retrying, says = asking(*answers)
    given_answers = list(answers)
    used = skipped = 0
    for number in range(1, 6):
        before = len(says.at)
        try:
            assert retrying.send(ASKED) is GOOD
            used += 1
        except SourceSkipped:
            skipped += 1
        except SourceUnusable:
            break
        assert len(says.at) - before <= 6
        assert used + skipped == number
    for at, wait in enumerate(waits(says)):
        answer = given_answers[min(at, len(given_answers) - 1)]
        told = retry_after(answer) if isinstance(answer, Response) and answer.status == 429 else None
        if told is not None and told <= 300:
            assert wait > told - 0.001, "also where that request was given up, and another one follows"
    assert len(says.at) <= 30


def test_no_error_shows_the_key_however_it_failed() -> None:
    for answer in (Response(500, b""), Response(404, b""), Response(403, b""), Unanswered("x"), Response(200, b"[")):
        retrying, _ = asking(answer)
        with pytest.raises((SourceSkipped, SourceUnusable)) as caught:
            retrying.send(ASKED)
        error = caught.value
        assert "k3yk3yk3y" not in f"{error!r} {error} {error.hint} {error.request} {error.source}"


def test_only_usable_answers_are_kept_as_evidence_and_each_once() -> None:
    retrying, _ = asking(Response(500, b"busy"), GOOD)
    door = Keeping(retrying, "made-up:x")
    door.send(ASKED)
    door.send(ASKED)
    (kept,) = door.take()
    assert (kept.body, kept.source, kept.request) == (GOOD.body, "made-up:x", "GET https://x.org/v1")
    assert door.take() == ()
    assert door.sent == 2


def test_the_status_alone_decides_where_it_can() -> None:
    assert isinstance(by_status(Response(200, b"anything")), Use)
    assert isinstance(by_status(Response(403, b"Cloudflare")), Stop)
    told = by_status(Response(500, b"\x1b[31m\n\xff" + b"x" * 10_000))
    assert isinstance(told, Again)
    assert told.why.isprintable()
    assert len(told.why) < 250
