"""visible(): nothing in a text moves the cursor, hides, reorders or breaks a line, and what is plain stays as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.visible import cells, visible
from hostile import HOSTILE

EVERYTHING = st.text(st.characters(codec=None, exclude_categories=()))  # surrogates too
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
IGNORABLE = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u200b\u2060\u3164\ufe0f\ufeff\uffa0\U000e0041\U000e0100"


def test_the_corpus_is_large_enough() -> None:
    assert len(HOSTILE) >= 100


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_printable_ascii_is_unchanged(text: str) -> None:
    assert visible(text) == text


@given(EVERYTHING)
def test_the_result_has_nothing_hidden(text: str) -> None:
    shown = visible(text)
    shown.encode()  # no lone surrogate is left
    assert {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Me"} == set()
    assert len(shown.splitlines()) <= 1


@given(EVERYTHING)
def test_seeing_twice_changes_nothing(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(EVERYTHING, st.integers(1, 30))
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, width: int) -> None:
    whole, cut = visible(text), visible(text, width)
    assert cells(cut) <= width
    assert cut == whole if cells(whole) <= width else cut.endswith("…") and whole.startswith(cut[:-1])


@given(st.lists(EVERYTHING, min_size=2, max_size=4))
def test_texts_that_show_alike_differ_in_written_escapes_only(texts: list[str]) -> None:
    """Characters are never dropped: as many pieces as characters, one by one, wherever no mark is involved."""
    for text in texts:
        if not any(unicodedata.category(char).startswith("M") for char in text):
            assert visible(text) == "".join(visible(char) for char in text)


@pytest.mark.parametrize(
    "char", [*BIDI, *IGNORABLE, "\x00", "\x1b", "\x7f", "\x9b", "\u2028", "\ud800", "\uffff", "\u2800"], ids=ascii
)
def test_each_of_these_is_written_as_an_escape(char: str) -> None:
    assert visible(f"a{char}b").startswith("a\\")
    assert visible(f"a{char}b").isascii()


def test_escapes_are_written_the_way_programmers_know() -> None:
    assert visible("\x1b\u202e\U000e0041") == r"\x1b\u202e\U000e0041"


def test_a_cut_never_falls_inside_an_escape() -> None:
    assert [visible("ab\x1bcd", width) for width in (3, 5, 6, 7, 8)] == ["ab…", "ab…", "ab…", r"ab\x1b…", r"ab\x1bcd"]


def test_marks_pile_up_no_higher_than_two() -> None:
    assert visible("a" + "\u0301" * 4) == "a\u0301\u0301" + r"\u0301\u0301"
    assert visible("\u0301a") == r"\u0301a"


def test_an_ideograph_counts_two_cells() -> None:
    assert visible("火币火币", 5) == "火币…"


def test_a_width_that_shows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="shows nothing"):
        visible("abc", 0)
