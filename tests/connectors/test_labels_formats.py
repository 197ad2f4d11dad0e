"""Each public label format: what its rows become, and what is refused or skipped."""

import json
from datetime import date
from pathlib import Path

import pytest

from connectors.labels import read_labels
from connectors.labels.explorer_roles import roles_of
from tracer.errors import InputError
from tracer.labels import Role
from tracer.values import CHAINS, Chain, Family

EVM = "0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae"
TRON = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
BITCOIN = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, newline="")
    return path


# OFAC


def test_a_sanctioned_usdt_address_is_on_the_chain_it_has_the_form_of(tmp_path: Path) -> None:
    text = f"{EVM}\r\n{TRON}\n\n{BITCOIN}\nrGeyCsqc6vKXuyTGF39WJxmTRemoV3c97h\n"
    read = read_labels(put(tmp_path, "sanctioned_addresses_USDT.txt", text), seen=date(2024, 9, 27))
    assert [label.address.chain.name for label in read.labels] == ["ethereum", "tron", "bitcoin"]
    assert [problem.where for problem in read.rejected] == ["sanctioned_addresses_USDT.txt, line 5"]
    assert read.rows == 4
    assert {(label.role, label.entity, label.confidence, label.seen) for label in read.labels} == {
        (Role.SANCTIONED, "OFAC SDN", 60, date(2024, 9, 27))
    }


def test_a_sanctioned_address_of_a_chain_we_do_not_carry_is_skipped_with_the_reason(tmp_path: Path) -> None:
    read = read_labels(
        put(tmp_path, "sanctioned_addresses_XMR.txt", "5be5543ff73456ab9f2d207887e2af87322c651ea1a873\n")
    )
    assert (read.labels, read.rejected, len(read.skipped), read.rows) == ((), (), 1, 1)
    assert "XMR" in read.skipped[0].text


def test_a_list_of_addresses_accuses_nobody_unless_its_name_or_the_user_says_what_it_is(tmp_path: Path) -> None:
    path = put(tmp_path, "mine.txt", BITCOIN)
    with pytest.raises(InputError):
        read_labels(path)
    with pytest.raises(InputError):
        read_labels(path, format="ofac")
    (label,) = read_labels(path, format="ofac", chain=Chain.named("bitcoin")).labels
    assert label.role is Role.SANCTIONED


# Explorers


@pytest.mark.parametrize(
    ("name", "words", "roles"),
    [
        ("Huobi 35", ["huobi"], {Role.EXCHANGE}),
        ("FTX Exchange 2", ["ftx"], {Role.EXCHANGE}),
        ("Binance 14", ["binance"], {Role.EXCHANGE}),
        ("Binance 14", [], {Role.EXCHANGE}),
        ("Binance: Hot Wallet 2", ["exchange"], {Role.EXCHANGE}),
        ("Bitkub: Hot Wallet 2", ["hot-wallet"], {Role.EXCHANGE}),
        ("IndoEx", ["exchange"], {Role.EXCHANGE}),
        ("", ["huobi"], {Role.EXCHANGE}),
        ("Binance: Deposit Funder", ["binance"], {Role.EXCHANGE}),
        ("Wintermute: Binance Deposit", ["binance"], {Role.EXCHANGE_DEPOSIT}),
        ("Alameda Research: Binance Deposit", ["fund"], {Role.EXCHANGE_DEPOSIT}),
        ("", ["binance-deposit"], {Role.EXCHANGE_DEPOSIT}),
        ("Curve.fi: Compound Deposit", ["curve-fi"], {Role.PROTOCOL}),
        ("Binance: BNB Token", ["binance"], {Role.TOKEN}),
        ("BitMax: Old Token 2", ["ascendex"], {Role.TOKEN}),
        ("Hop Protocol: hDAI Token", ["hop-protocol", "token-contract"], {Role.TOKEN}),
        ("Tether: Treasury", ["bitfinex"], {Role.OTHER}),
        ("OKX DEX: Aggregation Router", ["okx"], {Role.OTHER}),
        ("PXN: Cold Wallet", ["cold-wallet"], {Role.OTHER}),
        ("Binance Pool", ["mining"], {Role.MINER}),
        ("FTX Accounts Drainer", ["heist"], {Role.SCAM}),
        ("BNB Bridge Exploiter", ["exploit"], {Role.SCAM}),
        ("Fake_Phishing12", [], {Role.SCAM}),
        ("Multichain Hack Alert 1000", ["take-action"], {Role.OTHER}),  # a victim's warning, not a thief
        ("Tornado.Cash: Router", ["ofac-sanctions-lists", "tornado-cash"], {Role.MIXER, Role.SANCTIONED}),
        ("Arbitrum One: L1 Gateway Router", ["bridge", "layer-2"], {Role.BRIDGE}),
        ("Uniswap V2: Router", ["dex", "uniswap"], {Role.PROTOCOL}),
        ("Dice2Win", ["gambling"], {Role.SERVICE}),
        ("Null: 0x000...002", ["burn", "genesis"], {Role.BURN}),
        ("Binance 14" + " " * 100_000 + "Deposit", [], {Role.OTHER}),
    ],
)
def test_a_name_tag_and_its_words_give_these_roles(name: str, words: list[str], roles: set[Role]) -> None:
    assert set(roles_of(name, words)) == roles


def test_name_tags_are_on_the_explorers_chain_and_one_label_a_role(tmp_path: Path) -> None:
    tags = {
        EVM: {"name": "Tornado.Cash: Router", "labels": ["ofac-sanctions-lists", "tornado-cash"]},
        "0x" + "1" * 40: {"name": "", "labels": ["sushiswap"]},
        "0x" + "2" * 40: {"name": "\u202egnp\x00\n=1", "labels": ["x"]},
        "0x" + "3" * 40: {"name": "", "labels": []},
        "0x" + "4" * 40: {"name": None, "labels": ["x"]},
        "0x" + "5" * 40: {"name": "x", "labels": "x"},
        "0x" + "6" * 40: ["x"],
        "": {"name": "Sum of 4 Accounts", "labels": ["aave"]},
    }
    read = read_labels(put(tmp_path, "bscscan-combinedAccountLabels.json", json.dumps(tags)))
    assert [(label.address.text, label.entity, label.role) for label in read.labels] == [
        (EVM, "Tornado.Cash", Role.SANCTIONED),
        (EVM, "Tornado.Cash", Role.MIXER),
        ("0x" + "1" * 40, "sushiswap", Role.PROTOCOL),
        ("0x" + "2" * 40, "\u202egnp\x00\n=1", Role.OTHER),
    ]
    assert {label.address.chain.name for label in read.labels} == {"bsc"}
    assert {label.source for label in read.labels} == {"bscscan name tags"}
    assert (read.rows, len(read.rejected)) == (8, 5)


def test_name_tags_that_do_not_say_their_chain_need_to_be_told_it(tmp_path: Path) -> None:
    path = put(tmp_path, "tags.json", json.dumps({EVM: {"name": "Huobi 35", "labels": ["huobi"]}}))
    with pytest.raises(InputError) as caught:
        read_labels(path)
    assert "chain" in caught.value.hint
    assert read_labels(path, chain=Chain.named("base")).labels[0].address.chain.name == "base"


def test_a_table_for_one_label_word_takes_the_word_from_its_name_and_the_chain_from_its_folder(tmp_path: Path) -> None:
    text = f',Address,Name Tag,Balance,Txn Count\n0,{EVM},Huobi 1,"1,162.8 ETH",1\n1,{EVM},"Huobi 2, old",0 ETH,1\n'
    read = read_labels(put(tmp_path, "etherscan-by-label/huobi.csv", text))
    assert [(label.entity, label.role, label.note) for label in read.labels] == [
        ("Huobi", Role.EXCHANGE, "huobi"),
        ("Huobi 2, old", Role.OTHER, "huobi"),
    ]


# Exchange wallets


def test_exchange_wallets_name_their_chain_and_evms_means_every_evm_chain(tmp_path: Path) -> None:
    text = (
        "blockchain,address,cex_name,distinct_name,added_by,added_date,source_path\n"
        f"evms,{EVM},Binance,Binance 1,hildobby,2024-04-20,cex.sql\n"
        f"tron,{TRON},HTX,HTX 2,hildobby,2024-04-21,cex.sql\n"
        f"solana,{TRON},HTX,HTX 3,hildobby,2024-04-21,cex.sql\n"
        f"bitcoin,{BITCOIN.lower()},OKX,OKX 1,hildobby,2024-04-21,cex.sql\n"
    )
    path = put(tmp_path, "cex.csv", text)
    read = read_labels(path)
    evm = {chain.name for chain in CHAINS.values() if chain.family is Family.EVM} - {"ethereum-classic"}
    assert {label.address.chain.name for label in read.labels} == evm | {"tron"}
    assert (read.rows, len(read.rejected), len(read.skipped)) == (4, 1, 1)
    assert len({label.evidence for label in read.labels}) == 2  # however many chains: one row, one piece of evidence
    last = read.labels[-1]
    assert (last.entity, last.name, last.role, last.seen, last.confidence) == (
        "HTX", "HTX 2", Role.EXCHANGE, date(2024, 4, 21), 50,
    )  # fmt: skip
    assert [label.address.chain.name for label in read_labels(path, chain=Chain.named("bsc")).labels] == ["bsc", "tron"]


# TagPacks

PACK = f"""\
title: Test pack
creator: Somebody
source: https://example.org/a
label: Binance.com
currency: ETH
category: exchange
confidence: service_data
lastmod: 2022-11-16
tags:
- address: {EVM}
- address: {TRON}
  currency: 'TRX '
  label: Sinbad
  category: mixing_service
  abuse: sanction
  confidence: authority_data
  lastmod: 2023-08-16 12:18:52.619444
  actor: sinbadio
  context: '{{"url": "http://x"}}'
- address: {BITCOIN}
  network: btc
  concepts: [gambling, unheard_of]
  category: ''
- address: {EVM}
  currency: XMR
- address: {EVM}
  confidence: certain
- address: {EVM}
  lastmod: 16.11.2022
- address: {{a: b}}
- just text
- address: 0xDe0B295669a9FD93d5F28D9Ec85E40f4cb697BAf
- label: no address
"""


def test_tags_inherit_from_the_header_what_they_do_not_say_themselves(tmp_path: Path) -> None:
    read = read_labels(put(tmp_path, "pack.yaml", PACK))
    assert [
        (label.address.text, label.entity, label.name, label.role, label.confidence, label.seen)
        for label in read.labels
    ] == [
        (EVM, "Binance.com", "Binance.com", Role.EXCHANGE, 50, date(2022, 11, 16)),
        (TRON, "sinbadio", "Sinbad", Role.MIXER, 60, date(2023, 8, 16)),
        (TRON, "sinbadio", "Sinbad", Role.SANCTIONED, 60, date(2023, 8, 16)),
        (BITCOIN, "Binance.com", "Binance.com", Role.SERVICE, 50, date(2022, 11, 16)),
    ]
    assert {label.source for label in read.labels} == {"https://example.org/a"}
    assert 'context: {"url": "http://x"}' in read.labels[1].note
    assert "concepts: gambling, unheard_of" in read.labels[3].note
    assert [problem.where for problem in read.rejected] == [f"pack.yaml, tag {tag}" for tag in (5, 6, 7, 8, 9, 10)]
    assert [problem.where for problem in read.skipped] == ["pack.yaml, tag 4"]
    assert read.rows == 10


def test_a_tagpack_without_a_source_is_cited_by_who_made_it(tmp_path: Path) -> None:
    read = read_labels(
        put(tmp_path, "p.yaml", f"creator: Somebody\ncurrency: ETH\nlabel: x\ntags:\n- address: '{EVM}'\n")
    )
    assert [(label.source, label.confidence, label.role) for label in read.labels] == [("Somebody", 5, Role.OTHER)]


# Scam lists


def test_fortas_tables_are_on_the_chain_whose_number_their_folder_bears(tmp_path: Path) -> None:
    text = f"banned_address,wallet_tag,data_source\n{EVM},Fake_Phishing1772,etherscan-phish-hack-list\n"
    (label,) = read_labels(put(tmp_path, "10/etherscan_malicious_labels.csv", text)).labels
    assert (label.address.chain.name, label.role, label.source) == ("optimism", Role.SCAM, "etherscan-phish-hack-list")
    text = f"address,etherscan_tag,etherscan_labels,is_contract\n{EVM},Fake_Phishing3901,phish-hack,False\n"
    with pytest.raises(InputError):
        read_labels(put(tmp_path, "else/phishing_scams.csv", text))
    (label,) = read_labels(tmp_path / "else/phishing_scams.csv", chain=Chain.named("ethereum")).labels
    assert (label.entity, label.role) == ("Fake_Phishing3901", Role.SCAM)


def test_a_json_list_of_scam_addresses_is_read_only_when_it_is_called_one(tmp_path: Path) -> None:
    path = put(tmp_path, "combined.json", json.dumps({"fake.site": [EVM, "0x1", 5]}))
    with pytest.raises(InputError):
        read_labels(path)
    read = read_labels(path, format="scam-list", chain=Chain.named("ethereum"))
    assert [(label.entity, label.role) for label in read.labels] == [("fake.site", Role.SCAM)]
    assert (read.rows, len(read.rejected)) == (3, 2)
