"""prices fetch and case values at the front door: who learns what, what is pinned, and what is shown beside amounts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import START, facts, row, run, told, tx
from loopback import Asked, listening, reply
from notation import address

VICTIM, MULE, SHOP = (address(name).text for name in ("victim", "mule", "shop"))
PRICE = f"ethereum,{START + 24},2000.5,USD,expert\n"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    rows = row(1, VICTIM, MULE, 10**19), row(2, MULE, SHOP, 4 * 10**18)
    source, path = facts(tmp_path / "facts", *rows, read=(VICTIM, MULE, SHOP)), tmp_path / "a.fundtrail"
    assert run("trace", tx(1), "--source", f"file:{source}", "--case", path).exit_code == 0
    return path


def prices(folder: Path, *rows: str) -> Path:
    path = folder / "prices.csv"
    path.write_text("asset,time,price,currency,source\n" + "".join(rows))
    return path


def test_prices_are_pinned_once_and_values_are_shown_without_them_being_asked_for_again(
    case: Path, tmp_path: Path
) -> None:
    file = prices(tmp_path, PRICE)
    done = run("prices", "fetch", case, "--from", f"csv:{file}")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "in USD: 2 prices pinned" in done.stdout
    file.unlink()
    shown = run("case", "values", case)
    assert shown.exit_code == 0, shown.output
    assert "12,003.00" in shown.stdout
    assert shown.stdout.index("fifo") < shown.stdout.index("lifo") < shown.stdout.index("clean_first")
    values = json.loads(run("case", "values", case, "--json").stdout)
    assert {end["address"]: end["value"]["fifo"] for end in values["ends"]} == {MULE: "12003", SHOP: "8002"}
    assert run("case", "verify", case).exit_code == 0


def test_what_has_no_price_is_said_and_ends_with_3(case: Path, tmp_path: Path) -> None:
    none = prices(tmp_path, "ethereum,2015-08-08T00:00:00Z,1,USD,old\n")
    done = run("prices", "fetch", case, "--from", f"csv:{none}", "--json")
    assert done.exit_code == 3
    assert [one["text"] for one in json.loads(done.stdout)["without"]]
    assert "seconds off" in done.stderr
    shown = run("case", "values", case)
    assert shown.exit_code == 3
    assert "Without a value: 2 of 2 ends" in shown.stdout
    assert "fundtrail prices fetch" in shown.stderr


def test_whoever_tells_prices_learns_assets_and_moments_and_is_named_before(case: Path) -> None:
    answer = {"coins": {"coingecko:ethereum": {"prices": [
        {"price": 2000.5, "timestamp": START + at, "confidence": 0.99} for at in (12, 24)
    ]}}}  # fmt: skip

    def asked(_: Asked) -> list[bytes]:
        return [reply(json.dumps(answer).encode(), content_type="application/json")]

    with listening(asked) as host:
        words = "prices", "fetch", case, "--from", f"defillama:{host.url}"
        assert json.loads(run(*words, "--preview", "--json").stdout) == [
            {"hosts": [host.host], "source": f"defillama:{host.url}"}
        ]
        assert host.asked == []
        done = run(*words)
        assert done.exit_code == 0, done.output
        assert done.stderr == f"who learns of which assets and moments the prices are asked for: {host.host}\n"
        assert not any(who[2:] in one.target for one in host.asked for who in (VICTIM, MULE, SHOP))
    assert "12,003.00" in run("case", "values", case).stdout


@pytest.mark.parametrize(
    ("where", "said"),
    [("coingeko", "did you mean 'coingecko'"), ("csv:", "does not say where"), ("csv:nowhere.csv", "nowhere.csv")],
)
def test_a_bad_name_of_who_tells_prices_gets_a_clear_error(case: Path, where: str, said: str) -> None:
    told(run("prices", "fetch", case, "--from", where), 2, said)
