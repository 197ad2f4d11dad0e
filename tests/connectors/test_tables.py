"""Downloads from explorers' websites and tables with a map: exact, in the right hour, and no row dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import ConnectorContract
from connectors.protocol import Connector, Page
from connectors.sources import open_source
from connectors.tables.mapped import MappedCsv
from connectors.tables.telling import Telling
from connectors.whole_units import whole_units
from tracer.addresses import parse
from tracer.balances import counted
from tracer.coverage import Coverage, Kind, State
from tracer.errors import BadAmount, BadRow, InputError
from tracer.values import MAX_UNITS, Address, Asset, Chain, shown

ETH, TRON = Chain.named("ethereum"), Chain.named("tron")
A, B, C = ("0x" + letter * 40 for letter in "abc")
WEB = "0x" + "d" * 40
NOBODY = "0x" + "0" * 40
TETHER = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
P, Q = "TL24LCps5FKwp3PoU1MvrYrwhi5LU1tHre", "TXVj38D1XR3TPgSHTCZGC8wkLDAGqF1oqx"
TX = ["0x" + f"{number:064x}" for number in range(20)]
TIME = "1648041417"

ETHERSCAN = {
    "transactions": "Transaction Hash,Blockno,UnixTimestamp,DateTime (UTC),From,To,ContractAddress,Value_IN(ETH),"
    "Value_OUT(ETH),CurrentValue @ $2000/Eth,TxnFee(ETH),TxnFee(USD),Historical $Price/Eth,Status,ErrCode,Method\n"
    f'"{TX[1]}",7,{TIME},2022-03-23 13:16:57,{A},{B},,0,"1,234.000000000000000001",$1,0.002,$1,$1,,,Transfer\n'
    f'"{TX[2]}",8,{TIME},2022-03-23 13:16:57,{B},{A},,5,0,$1,0.001,$1,$1,Error(0),execution reverted,Transfer\n',
    "internal": "Txhash,Blockno,UnixTimestamp,DateTime,ParentTxFrom,ParentTxTo,ParentTxETH_Value,From,TxTo,"
    "ContractAddress,Value_IN(ETH),Value_OUT(ETH),CurrentValue @ $2000/Eth,Historical $Price/Eth,Status,ErrCode,Type\n"
    + f"{TX[3]},9,{TIME},x,{B},{C},0,{C},{A},,0.5,0,$1,$1,0,,call\n"
    * 2,
    "tokens": "Txhash,Blockno,UnixTimestamp,DateTime,From,To,TokenValue,USDValueDayOfTx,ContractAddress,TokenName,"
    f'TokenSymbol\n{TX[4]},10,{TIME},x,{NOBODY},{A},"2,000.5",$1,{WEB},Tether USD,USDT\n',
}
BLOCKSCOUT = {
    "transactions": "TxHash,BlockNumber,UnixTimestamp,FromAddress,ToAddress,ContractAddress,Type,Value,Fee,Status,"
    "ErrCode,CurrentPrice,TxDateOpeningPrice,TxDateClosingPrice,MethodName\n"
    f"{TX[1]},7,2022-03-23 13:16:57.000000Z,{A},{B},,OUT,1234000000000000000001,2000,ok,,1,1,1,\n"
    f"{TX[2]},8,2022-03-23 13:16:57.000000Z,{B},{A},,IN,5,1000,error,Reverted,1,1,1,\n",
    "internal": "TxHash,Index,BlockNumber,BlockHash,TxIndex,BlockIndex,UnixTimestamp,FromAddress,ToAddress,"
    "ContractAddress,Type,CallType,Gas,GasUsed,Value,Input,Output,ErrCode,Fee\n"
    f"{TX[3]},1,9,0xab,1,1,2022-03-23 13:16:57.000000Z,{C},{A},,call,call,1,1,500,0x,0x,,1\n"
    f"{TX[3]},2,9,0xab,1,1,2022-03-23 13:16:57.000000Z,{C},{A},,call,delegatecall,1,1,500,0x,0x,,1\n"
    f"{TX[3]},3,9,0xab,1,1,2022-03-23 13:16:57.000000Z,{C},{A},,call,call,1,1,500,0x,0x,out of gas,1\n",
    "tokens": "TxHash,BlockNumber,UnixTimestamp,FromAddress,ToAddress,TokenContractAddress,Type,TokenDecimals,"
    "TokenSymbol,TokenDecimals,TokensTransferred,TransactionFee,Status,ErrCode\n"
    f"{TX[4]},10,2022-03-23 13:16:57.000000Z,{NOBODY},{A},{WEB},IN,6,USDT,6,{2**128},1,ok,\n"
    f"{TX[5]},11,2022-03-23 13:16:57.000000Z,{B},{A},{C},IN,,NFT,,,1,ok,\n",
}
TRONSCAN = (
    "Txn Hash,Block,Time(UTC),From,To,Token,Amount/TokenID,Result\n"
    f'{TX[1][2:]},7,2022-03-23 13:16:57,{P},{Q},Tether USD(USDT) {TETHER},"41,677.389",SUCCESS\n'
    f"{TX[2][2:]},8,2022-03-23 13:16:57,{Q},{P},TRX,1.5,SUCCESS\n"
    f"{TX[3][2:]},9,2022-03-23 13:16:57,{Q},{P},TRX,7,REVERT\n"
)
MAPPED = f'Hash,When,Sender,Recipient,Amount,Token,Blk,Fee\n{TX[1]},2022-03-23 16:16:57,{A},{B},"1,5",{WEB},7,"0,002"\n'
MAP = f"""chain = "ethereum"
time_zone = "+03:00"
decimal_comma = true
[columns]
tx = "Hash"
time = "When"
from = "Sender"
to = "Recipient"
amount = "Amount"
asset = "Token"
block = "Blk"
fee = "Fee"
[decimals]
{WEB} = 6
"""


def folder(where: Path, files: Mapping[str, str], told: str = "") -> Path:
    for name, text in files.items():
        (where / f"{name}.csv").write_text(text)
    if told:
        (where / "map.toml").write_text(told)
    return where


def last(connector: Connector, address: Address) -> tuple[list[Page], Coverage]:
    pages = list(connector.history(address))
    coverage = pages[-1].coverage
    assert coverage is not None
    return pages, coverage


def moved(connector: Connector, address: Address) -> dict[str, int]:
    pages, _ = last(connector, address)
    found = counted(address, [transfer for page in pages for transfer in page.transfers])
    return {asset.contract: units for asset, units in found.items()}


class _Table(ConnectorContract):
    @pytest.fixture
    def address(self) -> Address:
        return parse(A, ETH)

    @pytest.fixture
    def unknown_address(self) -> Address:
        return parse("0x" + "9" * 40, ETH)


class TestEtherscanCsv(_Table):
    """Etherscan's downloads."""

    KIND = "etherscan-csv"
    SUPPORTS: ClassVar[Mapping[str, str]] = {
        "native": "yes: where the list of transactions is given",
        "internal": "yes: where the list of internal transactions is given",
        "token": "yes: where the list of ERC-20 transfers is given",
        "order": "no: the lists do not tell the place in the block",
        "balances": "no: the website is not asked",
        "completeness proof": "no: a download does not say whether it is all; one that is full counts as cut",
    }

    @pytest.fixture
    def connector(self, tmp_path: Path) -> Connector:
        return open_source(f"etherscan-csv:{folder(tmp_path, ETHERSCAN, f'[decimals]{chr(10)}{WEB} = 6{chr(10)}')}")


class TestBlockscoutCsv(_Table):
    """Blockscout's downloads."""

    KIND = "blockscout-csv"
    SUPPORTS: ClassVar[Mapping[str, str]] = {
        "native": "yes: where the list of transactions is given",
        "internal": "yes: where the list of internal transactions is given",
        "token": "yes: where the list of token transfers is given",
        "order": "no: the lists do not tell the place in the block",
        "balances": "no: the website is not asked",
        "completeness proof": "no: a download does not say whether it is all; one that is full counts as cut",
    }

    @pytest.fixture
    def connector(self, tmp_path: Path) -> Connector:
        return open_source(f"blockscout-csv:{folder(tmp_path, BLOCKSCOUT, 'chain = ' + repr('ethereum'))}")


class TestTronscanCsv(ConnectorContract):
    """Tronscan's downloads."""

    KIND = "tronscan-csv"
    SUPPORTS: ClassVar[Mapping[str, str]] = {
        "native": "no: fees are not in the list of transfers",
        "internal": "no: they stand in another list of the site",
        "token": "yes: TRC-20 and TRC-10; what TRX the list has is read too",
        "order": "no: the list does not tell the place in the block",
        "balances": "no: the website is not asked",
        "completeness proof": "no: a download does not say whether it is all; one that is full counts as cut",
    }

    @pytest.fixture
    def connector(self, tmp_path: Path) -> Connector:
        return open_source(f"tronscan-csv:{folder(tmp_path, {'transfers': TRONSCAN})}")

    @pytest.fixture
    def address(self) -> Address:
        return parse(P, TRON)

    @pytest.fixture
    def unknown_address(self) -> Address:
        return parse(TETHER, TRON)


class TestMappedCsv(_Table):
    """Any table, with a map."""

    KIND = "csv"
    SUPPORTS: ClassVar[Mapping[str, str]] = {
        "native": "yes: where the map names no token",
        "internal": "yes: where the table has them, with their positions",
        "token": "yes: where the map names a token or a column for it",
        "order": "no: a table does not tell the place in the block",
        "balances": "no: nobody is asked",
        "completeness proof": "no: nobody says whether the rows are all",
    }

    @pytest.fixture
    def connector(self, tmp_path: Path) -> Connector:
        return open_source(f"csv:{folder(tmp_path, {'mine': MAPPED}, MAP)}")


def test_etherscans_three_lists_are_read_to_the_last_unit(tmp_path: Path) -> None:
    source = open_source(f"etherscan-csv:{folder(tmp_path, ETHERSCAN, f'[decimals]{chr(10)}{WEB} = 6')}")
    a = parse(A, ETH)
    assert moved(source, a) == {"": -1234 * 10**18 - 1 - 2 * 10**15 + 10**18, WEB: 2_000_500_000}
    pages, coverage = last(source, a)
    assert coverage.state is State.UNSTATED
    assert coverage.kinds == frozenset(Kind)
    positions = sorted(t.id.position.partition(":")[0] for page in pages for t in page.transfers)
    assert positions == ["fee", "log", "trace", "trace", "tx"]  # of the failed one, B paid the fee
    assert all(t.block.time == int(TIME) for page in pages for t in page.transfers)


def test_a_token_whose_decimals_nobody_told_is_refused_with_where_to_tell_them(tmp_path: Path) -> None:
    (tmp_path / "tokens.csv").write_text(ETHERSCAN["tokens"])
    pages, coverage = last(open_source(f"etherscan-csv:{tmp_path / 'tokens.csv'}"), parse(A, ETH))
    assert coverage.state is State.FAILED
    assert [p.where for p in pages[0].problems if "decimals" in p.text] == ["tokens.csv, line 2"]
    text = TRONSCAN.replace(f"Tether USD(USDT) {TETHER}", "Sundog TXL6rJbvmjD46zeN1JssfgxvSo99qC8MRT")
    (tmp_path / "t.csv").write_text(text)
    pages, coverage = last(open_source(f"tronscan-csv:{tmp_path / 't.csv'}"), parse(P, TRON))
    assert coverage.state is State.FAILED
    assert "t.csv.map.toml" in pages[0].problems[0].text
    (tmp_path / "t.csv.map.toml").write_text("[decimals]\nTXL6rJbvmjD46zeN1JssfgxvSo99qC8MRT = 18\n")
    assert moved(open_source(f"tronscan-csv:{tmp_path / 't.csv'}"), parse(P, TRON))[""] == 1_500_000


def test_what_etherscan_does_not_say_of_its_chain_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ETHERSCAN["transactions"])
    pages, _ = last(open_source(f"etherscan-csv:{tmp_path / 'a.csv'}"), parse(A, ETH))
    assert "read as one of ethereum" in pages[0].problems[0].text
    (tmp_path / "a.csv.map.toml").write_text('chain = "base"')
    base = open_source(f"etherscan-csv:{tmp_path / 'a.csv'}")
    assert base.chains == {Chain.named("base")}
    (tmp_path / "b.csv").write_text(ETHERSCAN["transactions"].replace("(ETH)", "(BNB)"))
    assert open_source(f"etherscan-csv:{tmp_path / 'b.csv'}").chains == {Chain.named("bsc")}


@pytest.mark.parametrize(("rows", "state"), [(4999, State.UNSTATED), (5000, State.CUT), (5001, State.UNSTATED)])
def test_a_download_that_is_just_full_is_cut(tmp_path: Path, rows: int, state: State) -> None:
    head, first, _ = ETHERSCAN["transactions"].splitlines(keepends=True)
    text = head + "".join(first.replace(TX[1], f"0x{number:064x}") for number in range(rows))
    (tmp_path / "full.csv").write_text(text)
    _, coverage = last(open_source(f"etherscan-csv:{tmp_path / 'full.csv'}"), parse(A, ETH))
    assert coverage.state is state
    assert ("5,000 rows" in coverage.reason) == (state is State.CUT)


def test_blockscouts_lists_are_read_in_base_units(tmp_path: Path) -> None:
    source = open_source(f"blockscout-csv:{folder(tmp_path, BLOCKSCOUT, 'chain = ' + repr('gnosis'))}")
    a = parse(A, Chain.named("gnosis"))
    assert moved(source, a) == {"": -1234000000000000000001 - 2000 + 500, WEB: 2**128}
    pages, coverage = last(source, a)
    assert coverage.state is State.UNSTATED
    (token,) = [t for page in pages for t in page.transfers if t.asset.contract]
    assert (token.asset.symbol, token.asset.decimals, token.block.time) == ("USDT", 6, int(TIME))


def test_a_blockscout_file_must_be_told_its_chain(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(BLOCKSCOUT["transactions"])
    with pytest.raises(InputError, match="which chain") as caught:
        open_source(f"blockscout-csv:{tmp_path / 'a.csv'}")
    assert "a.csv.map.toml" in caught.value.hint


def test_a_column_that_stands_there_twice_must_say_one_thing(tmp_path: Path) -> None:
    text = BLOCKSCOUT["tokens"].replace("IN,6,USDT,6", "IN,6,USDT,18")
    source = open_source(f"blockscout-csv:{folder(tmp_path, {'t': text}, 'chain = ' + repr('ethereum'))}")
    pages, coverage = last(source, parse(A, ETH))
    assert coverage.state is State.FAILED
    assert "stands there twice" in pages[0].problems[0].text


def test_tronscans_list_is_read_by_contract_and_in_utc(tmp_path: Path) -> None:
    source = open_source(f"tronscan-csv:{folder(tmp_path, {'transfers': TRONSCAN})}")
    assert moved(source, parse(P, TRON)) == {TETHER: -41_677_389_000, "": 1_500_000}  # the reverted one moved nothing
    pages, _ = last(source, parse(P, TRON))
    assert {t.block.time for t in pages[0].transfers} == {int(TIME)}
    assert {t.asset.symbol for t in pages[0].transfers} == {"Tether USD(USDT)", "TRX"}


@pytest.mark.parametrize("cell", ["USDT", "Tether USD", "", "\uff34\uff32\uff38"])
def test_a_token_is_never_known_by_its_name(tmp_path: Path, cell: str) -> None:
    text = TRONSCAN.replace(f"Tether USD(USDT) {TETHER}", cell)
    pages, coverage = last(open_source(f"tronscan-csv:{folder(tmp_path, {'t': text})}"), parse(P, TRON))
    assert coverage.state is State.FAILED
    assert "names no contract" in pages[0].problems[0].text


def test_tronscans_older_list_is_sent_to_a_map(tmp_path: Path) -> None:
    old = f"transaction_id,block,block_ts,from_address,to_address,confirmed,contractRet,quant\n{TX[1][2:]},7,1648041417000,{P},{Q},true,SUCCESS,15\n"  # noqa: E501  a row is one line
    (tmp_path / "old.csv").write_text(old)
    with pytest.raises(InputError, match="older list") as caught:
        open_source(f"tronscan-csv:{tmp_path / 'old.csv'}")
    assert "csv:" in caught.value.hint
    told = f'chain="tron"\nasset="{TETHER}"\nsucceeded=["SUCCESS"]\n[columns]\ntx="transaction_id"\nblock="block"\n'
    told += 'time="block_ts"\nfrom="from_address"\nto="to_address"\nunits="quant"\nstatus="contractRet"\n'
    (tmp_path / "old.csv.map.toml").write_text(told)
    source = open_source(f"csv:{tmp_path / 'old.csv'}")
    assert moved(source, parse(P, TRON)) == {TETHER: -15}
    assert last(source, parse(P, TRON))[0][0].transfers[0].block.time == int(TIME)


def test_a_mapped_table_is_read_in_its_zone_with_its_comma_and_its_fee(tmp_path: Path) -> None:
    source = open_source(f"csv:{folder(tmp_path, {'mine': MAPPED}, MAP)}")
    assert moved(source, parse(A, ETH)) == {WEB: -1_500_000, "": -2 * 10**15}
    assert last(source, parse(A, ETH))[0][0].transfers[0].block.time == int(TIME)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('time_zone = "+03:00"\n', "", "does not say in which time zone"),
        ("decimal_comma = true\n", "", None),  # 1,5 is then no amount: thousands go by three
        (f"{WEB} = 6", "", "how many decimals"),
    ],
)
def test_what_the_map_leaves_out_is_not_guessed(tmp_path: Path, was: str, now: str, said: str | None) -> None:
    source = open_source(f"csv:{folder(tmp_path, {'mine': MAPPED}, MAP.replace(was, now))}")
    pages, coverage = last(source, parse(A, ETH))
    assert coverage.state is State.FAILED
    assert not pages[0].transfers
    assert (said or "not an amount") in pages[0].problems[0].text


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("", "no map"),
        ('chain = "ethereum"', "no map"),
        ('chane = "ethereum"', "nothing is named 'chane'"),
        (MAP.replace('amount = "Amount"\n', ""), "amount"),
        (MAP.replace('amount = "Amount"\n', 'amount = "Amount"\nunits = "Amount"\n'), "one of the two"),
        (MAP.replace('block = "Blk"\n', ""), "block"),
        (MAP.replace('"Blk"', '"Block"'), "no column 'Block'"),
        (MAP.replace("ethereum", "bitcoin").replace(f"{WEB} = 6", ""), "accounts"),
        (MAP.replace('"+03:00"', '"Europe/Berlin"'), "time_zone"),
        (MAP.replace("fee =", "fees ="), "no column is meant"),
        ("chain = ", "not TOML"),
    ],
)
def test_a_map_that_cannot_be_right_is_refused(tmp_path: Path, told: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_source(f"csv:{folder(tmp_path, {'mine': MAPPED}, told)}")


def test_two_payments_of_coin_in_one_transaction_are_not_taken_for_one(tmp_path: Path) -> None:
    told = MAP.replace('asset = "Token"\n', "")
    text = MAPPED + MAPPED.splitlines()[1].replace(B, C) + "\n"
    pages, coverage = last(open_source(f"csv:{folder(tmp_path, {'mine': text}, told)}"), parse(A, ETH))
    assert coverage.state is State.FAILED
    assert "tells them apart" in pages[0].problems[0].text


@pytest.mark.parametrize(
    "line",
    [
        "x",
        f"{TX[2]},7",
        f"{TX[2]},2022-13-23 16:16:57,{A},{B},1,{WEB},7,0",
        f"{TX[2]},2022-03-23 16:16:57,{A},{B},1e3,{WEB},7,0",
        f"{TX[2]},2022-03-23 16:16:57,{A},{B},NaN,{WEB},7,0",
        f"{TX[2]},2022-03-23 16:16:57,{A},{B},-1,{WEB},7,0",
        f'{TX[2]},2022-03-23 16:16:57,{A},{B},"0,0000001",{WEB},7,0',
        f"{TX[2]},2022-03-23 16:16:57,{A},{B},{10**80},{WEB},7,0",
        f'{TX[2]},2022-03-23 16:16:57,{A},{B},"1,{WEB},7,0',
        f"nohash,2022-03-23 16:16:57,{A},{B},1,{WEB},7,0",
        f"{TX[2]},2022-03-23 16:16:57,{A},{B}0,1,{WEB},7,0",
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_line_and_fails_the_coverage(tmp_path: Path, line: str) -> None:
    source = open_source(f"csv:{folder(tmp_path, {'mine': MAPPED + line + chr(10)}, MAP)}")
    pages, coverage = last(source, parse(A, ETH))
    assert len(pages[0].transfers) == 2
    assert [problem.where for problem in pages[0].problems] == ["mine.csv, line 3"]
    assert coverage.state is State.FAILED
    assert pages[0].evidence is not None
    assert line.encode() in pages[0].evidence.body


def test_the_evidence_of_a_row_is_its_line_and_can_be_read_again(tmp_path: Path) -> None:
    source = open_source(f"csv:{folder(tmp_path, {'mine': MAPPED}, MAP)}")
    pages, _ = last(source, parse(A, ETH))
    assert pages[0].evidence is not None
    assert pages[0].evidence.body == MAPPED.encode()
    assert {t.evidence[0].partition("#")[2] for t in pages[0].transfers} == {"2"}


@given(st.integers(0, MAX_UNITS), st.integers(0, 30), st.booleans())
def test_an_amount_as_a_website_writes_it_is_read_back_exactly(units: int, decimals: int, commas: bool) -> None:
    whole, dot, part = shown(units, decimals).partition(".")
    asset = Asset(ETH, WEB, "X", decimals)
    assert whole_units((f"{int(whole):,}" if commas else whole) + dot + part, "x", asset) == units


@pytest.mark.parametrize("text", ["1.234,5", "1,23", "1 234", "+1", "-1", "1e18", "", ".", "0x10", "\u0661", "1_0"])
def test_an_amount_that_could_mean_two_things_or_none_is_refused(text: str) -> None:
    with pytest.raises(BadAmount):
        whole_units(text, "x", TRON.coin)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2022-03-23 13:16:57 UTC", 1648041417),
        ("2022-03-23T13:16:57Z", 1648041417),
        ("2022-03-23 13:16:57.123456+00:00", 1648041417),
        ("1648041417", 1648041417),
        ("1648041417000", 1648041417),
    ],
)
def test_a_time_that_names_its_zone_is_read_without_help(text: str, seconds: int) -> None:
    assert Telling(Path("a.csv")).moment(text, "t") == seconds


@pytest.mark.parametrize("text", ["2022-03-23 13:16:57", "23/03/2022 13:16", "2022-02-30T00:00:00Z", "yesterday", "7"])
def test_a_time_that_does_not_is_refused(text: str) -> None:
    with pytest.raises(BadRow):
        Telling(Path("a.csv")).moment(text, "t")


def test_a_form_of_time_can_be_told(tmp_path: Path) -> None:
    told = MAP.replace("decimal_comma", 'time_format = "%d/%m/%Y %H:%M:%S"\ndecimal_comma')
    text = MAPPED.replace("2022-03-23 16:16:57", "23/03/2022 16:16:57")
    source = MappedCsv(folder(tmp_path, {"mine": text}, told))
    assert last(source, parse(A, ETH))[0][0].transfers[0].block.time == int(TIME)


def test_the_maps_that_the_page_shows_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
    of_explorers, of_csv = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    table = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)[-1]
    (tmp_path / "mine.csv").write_text(table)
    (tmp_path / "mine.csv.map.toml").write_text(of_csv)
    source = open_source(f"csv:{tmp_path / 'mine.csv'}")
    assert moved(source, parse(P, TRON)) == {TETHER: -41_677_389}
    time = last(source, parse(P, TRON))[0][0].transfers[0].block.time
    assert time == 1738601505  # as TronGrid tells it in milliseconds
    (tmp_path / "map.toml").write_text(of_explorers)
    assert Telling.read(tmp_path / "map.toml").decimals == {"0xdac17f958d2ee523a2206206994597c13d831ec7": 6}


def test_a_trc10_token_goes_into_a_transfer_file_and_out_of_it(tmp_path: Path) -> None:
    head = "chain,tx,position,block,time,asset,symbol,decimals,from,to,units\n"
    (tmp_path / "transfers.csv").write_text(head + f"tron,{TX[1][2:]},tx,7,{TIME},1002000,BTT,6,{P},{Q},5\n")
    assert moved(open_source(f"file:{tmp_path}"), parse(P, TRON)) == {"1002000": -5}
