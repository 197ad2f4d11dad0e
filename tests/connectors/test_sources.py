"""A source is named KIND:WHERE, and what is wrong with a name is said."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from connectors.contract import signature_differences
from connectors.protocol import Connector
from connectors.sources import KINDS, open_source
from tracer.errors import InputError, UnknownName

HEAD = "chain,tx,block,time,from,to,units\n"


def test_a_source_is_opened_by_its_name_and_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "transfers.csv").write_text(HEAD)
    assert open_source(f"file:{tmp_path}").name == f"file:{tmp_path}"


def test_an_unknown_kind_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="no kind of source named 'flie'") as caught:
        open_source("flie:somewhere")
    assert "did you mean 'file'?" in caught.value.hint


def test_a_path_without_its_kind_is_answered_with_the_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names no kind") as caught:
        open_source(str(tmp_path))
    assert f"file:{tmp_path}" in caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_without_a_place_or_with_a_missing_one_is_an_error(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not say where"):
        open_source(f"{kind}:")
    with pytest.raises(InputError, match="there is no file or folder"):
        open_source(f"{kind}:{tmp_path / 'absent'}")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_signatures_of_the_protocol(kind: str) -> None:
    module, _, name = KINDS[kind].opens.partition(":")
    assert signature_differences(Connector, getattr(import_module(module), name)) == []


def test_naming_sources_imports_none_of_them() -> None:
    code = "import sys, connectors.sources; print([m for m in sys.modules if 'transfer_file' in m or 'etherscan' in m])"
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
