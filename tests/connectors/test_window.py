"""The blocks of one reading: in its cursors, and in what it says of an address."""

from __future__ import annotations

import json

import pytest

from connectors.window import Window
from notation import address
from tracer.coverage import Kind, State
from tracer.errors import InputError

WINDOW = Window(0, 120, "0xab", 88, 1_700_000_000)
GOOD = json.loads(WINDOW.cursor(page=2))


@pytest.mark.parametrize(
    "cursor",
    ["", "2", "null", "[]", "{}", "{", "[" * 100_000, '{"rest": {}}', json.dumps({**GOOD, "more": 1}),
     *(json.dumps({**GOOD, name: value}) for name, value in
       [("first", "0"), ("last", 1.5), ("last", None), ("at", True), ("final", "88"), ("tip", 7), ("rest", [1])]),
     *(json.dumps({key: value for key, value in GOOD.items() if key != name}) for name in GOOD)],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InputError, match="no cursor of this source"):
        Window.of(cursor)


def test_a_cursor_says_the_same_again() -> None:
    assert Window.of(WINDOW.cursor(page=2, after="x")) == (WINDOW, {"page": 2, "after": "x"})
    assert Window.of(Window(5, 5, "", None, 0).cursor()) == (Window(5, 5, "", None, 0), {})


@pytest.mark.parametrize("stated", [None, State.READ, State.EMPTY])
def test_a_whole_reading_is_of_the_whole_window_whether_stated_or_not(stated: State | None) -> None:
    rows = 0 if stated is State.EMPTY else 3
    told = WINDOW.coverage(address("thief"), Kind, "made-up:x", rows=rows, evidence="sha256:x", state=stated)
    assert (told.state, told.last, told.final, told.tip) == (stated or State.READ, 120, 88, "0xab")


@pytest.mark.parametrize("last", [None, 77])
def test_a_reading_that_was_cut_claims_no_more_than_it_read(last: int | None) -> None:
    told = WINDOW.coverage(address("thief"), Kind, "made-up:x", rows=3, reason="a cap", state=State.CUT, last=last)
    assert (told.last, told.final, told.tip, told.reason) == (last, None, "", "a cap")
    assert not told.complete
