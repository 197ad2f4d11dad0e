"""`fundtrail export` in every format and `fundtrail import` of those that come back, as a user types them."""

from __future__ import annotations

import builtins
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cases.case_file import Case
from cases.exports import FORMATS
from cli.commands.exchange import FORMATS as OFFERED
from commands import facts, labelled, row, run, told, tx
from notation import address

READ_BACK = ["csv", "jsonl", "parquet", "graphml"]
A, B, C = (address(name).text for name in ("victim", "mule", "shop"))


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A traced case with a label."""
    source = facts(tmp_path / "facts", row(1, A, B, 60), row(2, B, C, 50), read=[A, B, C])
    path, labels = tmp_path / "a.fundtrail", labelled(tmp_path / "labels.csv", shop="exchange")
    done = run("trace", tx(1), "--chain", "ethereum", "--source", f"file:{source}", "--labels", labels, "--case", path)
    assert done.exit_code == 0, done.stderr
    return path


def test_the_formats_are_those_that_can_be_written() -> None:
    assert tuple(FORMATS) == OFFERED


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_written_beside_the_case_under_its_name(form: str, case: Path) -> None:
    done = run("export", case, "--format", form, "--json")
    assert done.exit_code == 0, done.stderr
    files = [Path(name) for name in json.loads(done.stdout)]
    place = case.with_name(f"a{FORMATS[form].ending}")
    assert all(file == place or place in file.parents for file in files)
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    told(run("export", case, "--format", form), 1, "exists already", "--force")
    assert run("export", case, "--format", form, "--force").exit_code == 0


@pytest.mark.parametrize("form", READ_BACK)
def test_an_export_imported_into_a_new_case_shows_the_same_answer(form: str, case: Path, tmp_path: Path) -> None:
    out, again = tmp_path / f"x{FORMATS[form].ending}", tmp_path / "b.fundtrail"
    assert run("export", case, "--format", form, "--out", out).exit_code == 0
    done = run("import", out, "--case", again)
    assert done.exit_code == 0, done.stderr
    assert (
        done.stdout == f"{form}: 2 transfers, 1 label, 1 loss, 0 judgements, and the answer, given again to the byte\n"
    )
    assert run("case", "show", again, "--json").stdout == run("case", "show", case, "--json").stdout
    assert run("case", "hops", again, "--json").stdout == run("case", "hops", case, "--json").stdout
    assert run("case", "verify", again).exit_code == 0
    assert json.loads(run("import", out, "--case", again, "--json").stdout)["doubt"] == ""


def test_labels_come_back_from_a_tagpack(case: Path, tmp_path: Path) -> None:
    assert run("export", case, "--format", "tagpack").exit_code == 0
    pack, again = tmp_path / "a.tagpack.yaml", tmp_path / "b.fundtrail"
    done = run("import", pack, "--case", again)
    assert (done.exit_code, done.stdout) == (0, "tagpack: 0 transfers, 1 label, 0 losses, 0 judgements\n")
    with Case.open(again) as opened:
        assert [(label.entity, label.role) for label in opened.labels()] == [("shop", "exchange")]
    pack.write_text(pack.read_text() + '- address: "0x1"\n  label: "x"\n  source: "y"\n  currency: "ETH"\n')
    done = run("import", pack, "--case", tmp_path / "c.fundtrail")
    assert done.exit_code == 3
    assert "tag 2" in done.stderr


def test_an_answer_that_does_not_hold_is_warned_of_and_the_command_ends_with_3(case: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    assert run("export", case, "--format", "jsonl", "--out", out).exit_code == 0
    out.write_text(out.read_text().replace('"stop":"exchange"', '"stop":"mixer"'))
    done = run("import", out, "--case", tmp_path / "b.fundtrail")
    assert done.exit_code == 3
    assert "warning: the answer was not taken over: tracing anew says otherwise of ends" in done.stderr
    assert "given again" not in done.stdout
    told(run("case", "show", tmp_path / "b.fundtrail"), 1, "no trace was made")


@pytest.mark.parametrize("form", READ_BACK)
def test_what_is_no_export_leaves_no_case_behind(form: str, tmp_path: Path) -> None:
    place = tmp_path / f"x{FORMATS[form].ending}"
    told(run("import", place, "--case", tmp_path / "b.fundtrail"), 2)
    if form in ("csv", "parquet"):
        place.mkdir()
    else:
        place.write_bytes(b"\x00\xff=1+1")
    told(run("import", place, "--case", tmp_path / "b.fundtrail"), 2)
    assert not (tmp_path / "b.fundtrail").exists()


def test_a_case_that_was_never_traced_can_leave_but_has_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.fundtrail"
    assert run("labels", "import", labelled(tmp_path / "l.csv", shop="exchange"), "--case", path).exit_code == 0
    for form, kind in FORMATS.items():
        done = run("export", path, "--format", form)
        if kind.needs_answer:
            told(done, 1, "no trace was made in this case yet")
        else:
            assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize(("form", "library"), [("parquet", "pyarrow"), ("xlsx", "xlsxwriter")])
def test_without_the_extra_two_lines_say_how_to_have_it(
    form: str, library: str, case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **also: Any) -> Any:
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return real(name, *more, **also)

    monkeypatch.setattr(builtins, "__import__", without)
    done = run("export", case, "--format", form)
    told(done, 1, f"this format needs more libraries: there is no {library}", "pip install 'fundtrail[tables]'")
    assert len(done.stderr.splitlines()) == 2
    assert run("export", case, "--format", "csv").exit_code == 0


@pytest.mark.skipif(os.name != "posix", reason="names that other systems refuse")
@pytest.mark.parametrize("name", ["CON", "=cmd|' x'!A0", "a b\u202e", "..x", "火", "x'\"$(touch y)"])
def test_a_case_by_any_name_is_exported_under_a_safe_one(name: str, case: Path) -> None:
    moved = case.rename(case.with_name(f"{name}.fundtrail"))
    before = set(os.listdir(case.parent))
    done = run("export", moved, "--format", "json", "--json")
    assert done.exit_code == 0, done.stderr
    (new,) = {one for one in os.listdir(case.parent) if not one.endswith(("-wal", "-shm"))} - before
    assert new.isascii()
    assert not set(new) & set("=|'\"$() :")
    assert new.partition(".")[0].lower() != "con"
