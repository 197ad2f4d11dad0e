"""Names of exchanges: which names mean one, and when two names mean the same owner."""

from __future__ import annotations

from functools import lru_cache

_ENDINGS = ("com", "net", "org", "io", "exchange")

#: Names that changed, or are written so differently that the rules of `_key` do not bring them together.
_ALIASES = {
    "htx": "huobi", "htxhuobi": "huobi", "huobiglobal": "huobi", "okex": "okx", "bitmax": "ascendex", "mxc": "mexc",
    "gateio": "gate", "hoocom": "hoo", "derebit": "deribit", "bitbay": "zonda",
    "cryptocom": "cryptocom",  # stays whole: "Crypto" alone is anybody
}  # fmt: skip

#: Custodial exchanges as the explorers' tags name them. Whoever is missing here is read as OTHER, never guessed.
_EXCHANGES = """
    AAX, ABCC, Allbit, AscendEX, AtomSolutions, Azbit, Bgogo, Bibox, BigONE, Bilaxy, Binance, Binance US, BingX,
    Bit-Z, Bitbank, Bitbee, BitBlinx, Bitcoin Suisse, Bitfinex, bitFlyer, BitForex, Bitget, Bithumb, Bitkub, BitMart,
    BitMEX, Bitpanda, Bitpie, Bitrue, Bitso, Bitstamp, Bittrex, Bitvavo, BTCEX, BtcTurk, BTSE, BW.com, Bybit, CEX.IO,
    ChangeNOW, Cobinhood, CoinBene, Coinbase, Coincheck, CoinDCX, CoinEx, CoinField, Coinhako, CoinList, Coinmetro,
    Coinone, CoinSpot, Coinsquare, COSS.io, CREX24, Crypto.com, Cryptopia, Deepcoin, Deribit, DigiFinex, EXMO, FCoin,
    FixedFloat, FTX, FTX US, Gate.io, GBX, Gemini, GOPAX, HitBTC, Hoo.com, Hotbit, Huobi, IDAX, Indodax, Korbit,
    Kraken, Kryptono, KuCoin, Kuna, LAToken, LBank, LCX, Liqui, Liquid, Livecoin.net, LocalCoin, Luno, MaskEX, MEXC,
    Nobitex, OceanEx, OKCoin, OKX, Oobit, Paribu, Paxful, Phemex, Poloniex, ProBit, QuadrigaCX, Remitano, ShapeShift,
    SimpleSwap, Sparrow, Stex, TAGZ, Thodex, Tidex, TopBTC, Trade.io, TradeOgre, Upbit, Uphold, WazirX, WhiteBIT,
    xs2.exchange, XT.com, YoBit, Yunbi, ZB.com
"""


def same_entity(a: str, b: str) -> bool:
    """Whether two names of an owner mean the same one, as far as spelling and a table of former names go.

    It is for telling whether sources contradict each other, never for rewriting what one of them said.

    >>> same_entity("huobi.com", "HTX"), same_entity("FTX Exchange", "FTX"), same_entity("Binance", "Binance US")
    (True, True, False)
    """
    first, second = _key(a), _key(b)
    return first == second if first and second else a.casefold() == b.casefold()


@lru_cache(maxsize=4096)  # a file names the same few owners over and over
def is_exchange(name: str) -> bool:
    """Whether this is the name of an exchange we know, however it is spelt.

    >>> is_exchange("gate-io"), is_exchange("Uniswap")
    (True, False)
    """
    return len(name) < 60 and _key(name) in _KNOWN


def _key(name: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in name.casefold()).split()
    while len(words) > 1 and words[-1] in _ENDINGS and "".join(words) not in _ALIASES:
        words.pop()
    key = "".join(words)
    return _ALIASES.get(key, key)


_KNOWN = frozenset(_key(name.strip()) for name in _EXCHANGES.replace("\n", " ").split(","))
