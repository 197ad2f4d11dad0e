"""Label files as they are really published: what is no address in them is found, and nothing else is."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from tracer.addresses import looks_like_tx, parse, parse_tx, recognise
from tracer.errors import BadAddress
from tracer.values import CHAINS, Chain

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
OFAC_CHAINS = {
    "ARB": "arbitrum",
    "BCH": "bitcoin-cash",
    "BSC": "bsc",
    "ETC": "ethereum-classic",
    "ETH": "ethereum",
    "LTC": "litecoin",
    "TRX": "tron",
    "XBT": "bitcoin",
}


def data(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"real data is not beside the repository: shared/data/{name}")
    return path


def faults(rows: list[str], chain: str) -> dict[str, str]:
    found = {}
    for text in rows:
        try:
            assert parse(parse(text, Chain.named(chain)).text, Chain.named(chain)) == parse(text, Chain.named(chain))
        except BadAddress as error:
            found[text] = str(error).partition(f" is not an address of {chain}: ")[2]
    return found


def dune(blockchain: str) -> list[str]:
    with data("labels/cex-dune/cex_addresses.csv").open(encoding="utf-8", newline="") as file:
        return [row["address"] for row in csv.DictReader(file) if row["blockchain"] == blockchain]


def test_every_exchange_wallet_on_evm_chains_is_well_formed() -> None:
    rows = dune("evms")
    assert len(rows) == 4957
    assert faults(rows, "ethereum") == {}


def test_one_exchange_wallet_on_bitcoin_was_put_in_lower_case_and_seven_are_tron_addresses() -> None:
    rows = dune("bitcoin")
    found = faults(rows, "bitcoin")
    assert len(rows) == 761
    assert Counter(found.values())["this is a tron address"] == 7
    broken = {text: reason for text, reason in found.items() if not recognise(text)}
    assert list(broken) == ["3lhhdlbvwbzchnqv8dn4ndkfcnycg1fq"]
    assert broken["3lhhdlbvwbzchnqv8dn4ndkfcnycg1fq"] == "character 'l' at position 2 is not used in base58"


def test_nine_exchange_wallets_on_tron_fail_their_checksum() -> None:
    rows = dune("tron")
    found = faults(rows, "tron")
    assert len(rows) == 151
    assert len(found) == 9
    assert all("checksum is wrong" in reason for reason in found.values())


def test_no_exchange_wallet_listed_for_litecoin_is_an_address_at_all() -> None:
    """The published table holds pieces of other chains' addresses: none is longer than 33 characters."""
    rows = dune("litecoin")
    assert len(rows) == 1110
    assert len(faults(rows, "litecoin")) == len(set(rows))
    assert max(map(len, rows)) == 33
    assert not any(recognise(text) for text in rows)


def ofac(asset: str) -> list[str]:
    return data(f"labels/ofac/sanctioned_addresses_{asset}.txt").read_text(encoding="utf-8").split()


@pytest.mark.parametrize(("asset", "chain"), OFAC_CHAINS.items())
def test_sanctioned_addresses_parse_on_their_chain(asset: str, chain: str) -> None:
    found = faults(ofac(asset), chain)
    # The one exception is in the official list itself: a Tron address under XBT.
    expected = {"TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq": "this is a tron address"} if asset == "XBT" else {}
    assert found == expected


def test_sanctioned_token_addresses_tell_their_chain_by_their_form() -> None:
    chains = Counter(found[0].chain.name for text in ofac("USDT") + ofac("USDC") if (found := recognise(text)))
    assert chains == {"ethereum": 10, "tron": 11, "bitcoin": 7}


@pytest.mark.parametrize("asset", ["BTG", "DASH", "XMR", "XRP", "ZEC"])
def test_addresses_of_chains_we_do_not_follow_are_not_taken_for_ours(asset: str) -> None:
    assert [text for text in ofac(asset) if recognise(text)] == []


def test_addresses_and_hashes_of_a_real_tron_block_are_read() -> None:
    seen = 0
    for path in sorted(data("tron/trongrid-sample").glob("trc20_*.json")):
        for row in json.loads(path.read_text(encoding="utf-8"))["data"]:
            assert parse_tx(row["transaction_id"], CHAINS["tron"]) == row["transaction_id"]
            assert looks_like_tx(row["transaction_id"])
            for side in ("from", "to"):
                assert parse(row[side], CHAINS["tron"]).text == row[side]
                seen += 1
    assert seen > 0
