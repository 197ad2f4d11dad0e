"""The hostile corpus, made by rule: at least 500 texts that attack a query, a cell, a page, a terminal or a reader.

`CORPUS` is what every sink is fed, in this order; `by_attack()` says what each text is for. The hand-written ones of
`tests/hostile.py` are all in it. Nothing here is random, so a number names the same text everywhere.
Two halves of one character that stand in the right order are not in it: JSON has but one text for them and the character.
"""

# ruff: noqa: E501, RUF001  the look-alikes are the point

from __future__ import annotations

from collections.abc import Iterator

from hostile import HOSTILE

CYPHER = (
    "'}) DETACH DELETE n //", '"}) DETACH DELETE n //', "`}) DETACH DELETE n //", "Foo`) DETACH DELETE n //",
    "\\u0060) DETACH DELETE n //", "\\u0027}) MATCH (n) DETACH DELETE n //", "' OR 1=1 RETURN n //", "'; DROP CONSTRAINT x; //",
    "$rows", "$case", "{case}", "${case}", "$param", "*/ DETACH DELETE n /*", "// x", "/* x", "\\", "\\'", "\\\"", "\\\\'",
    "' + (CALL { MATCH (n) DETACH DELETE n }) + '", "LOAD CSV FROM 'http://127.0.0.1:1/' AS line RETURN line",
    "' CALL dbms.shutdown() //", "' CALL apoc.load.json('http://127.0.0.1:1/') YIELD value //", "`SENT`", "n.units", ":Address",
    "\\u005cu0060", "`` ) //", "'' ) //", "RETURN 1", "}) SET n:Admin //", "%27%7D) DETACH DELETE n", "ʼ}) DETACH DELETE n //",
)  # fmt: skip
SQL = (
    "'; DROP TABLE transfers; --", '"; DROP TABLE transfers; --', "' OR ''='", "1; ATTACH DATABASE 'x' AS y", "?1", ":name", "@name",
    "x' UNION SELECT body FROM evidence --", "%' --", "_", "char(0)", "PRAGMA writable_schema=1",
)  # fmt: skip
FORMULAS = (
    "cmd|' /C calc'!A0", "HYPERLINK(\"http://127.0.0.1\",\"x\")", "1+1", "SUM(A1:A9)", "WEBSERVICE(\"http://127.0.0.1\")",
    "IMPORTXML(\"http://127.0.0.1\",\"//a\")", "DDE(\"cmd\";\"/C calc\";\"x\")",
)  # fmt: skip
MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "</script><script>alert(1)</script>",
    "<iframe src=javascript:alert(1)>", "<a href=javascript:alert(1)>x</a>", "<style>*{display:none}</style>", "&lt;script&gt;",
    "<!ENTITY x SYSTEM \"file:x\">", "<xi:include href=\"x\"/>", "]]><x/>", "<?php x ?>", "{{constructor.constructor('x')()}}", "{% x %}",
)  # fmt: skip
SHELL = (
    "$(touch x)", "`touch x`", "; touch x", "| touch x", "&& touch x", "-rf", "--help", "../../../x", "..\\..\\x", "x\x00.csv", "CON", "a:b",
)  # fmt: skip
TERMINAL = (
    "\x1b[2J", "\x1b]0;x\x07", "\x1b]8;;http://127.0.0.1\x1b\\x\x1b]8;;\x1b\\", "\x1b]52;c;eA==\x07", "\x9b31m", "\x1bP0;0|x\x1b\\", "\r\x1b[K",
)  # fmt: skip
PAYLOADS = {
    "cypher": CYPHER, "sql": SQL, "formula": FORMULAS, "markup": MARKUP, "shell": SHELL, "terminal": TERMINAL,
}  # fmt: skip
LEADS = (
    "=",
    "+",
    "-",
    "@",
    "\t=",
    "\r=",
    "\n=",
    "＝",
    "＋",
    "－",
    "＠",
    " =",
    "'=",
    '"=',
    ";=",
    "|",
    "%0A=",
    "\u200b=",
    "\ufeff=",
)
ENDS = ('"', "'", "\\", "\n", "\r\n", "\x00", "\u2028", "\u202e", "\ud800", "`", "*/", "-->", "\x1f", ";", ",")
ODD = (
    [chr(code) for code in range(0x20)] + ["\x7f"] + [chr(code) for code in range(0x80, 0xA0)]
    + [chr(code) for code in (0x200B, 0x200E, 0x200F, 0x202A, 0x202D, 0x202E, 0x2066, 0x2069, 0x2028, 0x2029, 0xFEFF)]
    + ["\ud800", "\udbff", "\udc00", "\udfff", "\ufffe", "\uffff", "\U0001ffff", "\U0010ffff", "\ufffd", "\udca9\ud83d"]
)  # fmt: skip
SHAPES = (
    "x" * 8_168, "火" * 3_000, "\x00" * 100, "\\" * 99, '"' * 99, "'" * 99, "`" * 99, "\ud800" * 50, "a\u0301" * 500, "\n" * 99, "0", "00", "-1",
    "1e308", "1e400", "0x10", "١٢٣", "１２３", "true", "null", "[]", "{}", '{"a":1}', '["x"]', "1970-01-01", "9" * 400, "115792089237316195423570985",
    "ethereum:0x", ":", "::", "|", "a|b|c", "#", "sha256:", "\\u0041", "\\x41", "\\ud800", "&#x41;", "%41", "+ADw-script+AD4-", "é", "e\u0301",
    "ﬁ", "Å", "K", "ſ", "ı", "İ", "ß", "ẞ", "ς", "Σ", " x", "x ", "\u3000x", "\u00a0",
)  # fmt: skip


def by_attack() -> Iterator[tuple[str, str]]:
    """(what it attacks, the text), each text once."""
    seen = set[str]()
    for attack, text in _all():
        if text not in seen:
            seen.add(text)
            yield attack, text


def _all() -> Iterator[tuple[str, str]]:
    yield from (("hand-written", text) for text in HOSTILE)
    for attack, payloads in PAYLOADS.items():
        yield from ((attack, text) for text in payloads)
    yield from (("formula", lead + text) for lead in LEADS for text in FORMULAS)
    yield from (("character", f"a{text}b") for text in ODD)
    yield from (("first character", text + "=1") for text in ODD)
    yield from (("field end", end + text) for end in ENDS for text in (*CYPHER[:4], *MARKUP[:2], FORMULAS[0]))
    yield from (("shape", text) for text in SHAPES)


CORPUS = tuple(text for _, text in by_attack())
