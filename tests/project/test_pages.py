"""The pages: links that lead somewhere, commands that exist, one version everywhere, no place left open."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)

named = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make, as code hosts build them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    """Each link inside the project that leads nowhere."""
    for found in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = found["target"].partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            yield found["target"]


def commands(page: Path, program: str) -> list[list[str]]:
    """The words after `program` in the console examples and the inline code of a page."""
    text = page.read_text(encoding="utf-8")
    return [line.split() for line in re.findall(rf"(?:^\$ |`){program} ([^`\n#]+)", text, re.MULTILINE)]


@named
def test_every_link_leads_somewhere(page: Path) -> None:
    assert not list(broken_links(page))


def test_a_broken_link_and_a_broken_anchor_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](gone.md) [b](#here) [c](#there) [d](page.md#here)\n", encoding="utf-8")
    assert list(broken_links(page)) == ["gone.md", "#there"]


@named
def test_every_make_command_in_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named_there = {word for words in commands(page, "make") for word in words if "=" not in word}
    assert named_there <= targets


def test_the_readme_shows_the_two_commands() -> None:
    assert {"demo", "test"} <= {word for words in commands(ROOT / "README.md", "make") for word in words}


@named
def test_every_fundtrail_command_in_a_page_exists(page: Path) -> None:
    import cli

    for words in commands(page, "fundtrail"):
        command: click.Command = cli.main
        for word in words:
            if not isinstance(command, click.Group):
                break
            if word.startswith("-"):
                continue
            assert word in command.commands, f"fundtrail {' '.join(words)}"
            command = command.commands[word]


def test_the_changelogs_newest_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == project["version"]


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    pages = [page for page in PAGES if page.parent.name == "decisions" and page.name != "README.md"]
    assert pages
    assert not [page.name for page in pages if f"({page.name})" not in index]


@named
def test_no_place_is_left_open(page: Path) -> None:
    assert "<!-- FILL" not in page.read_text(encoding="utf-8"), "put the measured figure in, or take the place out"
