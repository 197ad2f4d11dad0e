"""What an explorer's name tag and its label words say about an address's role."""

from __future__ import annotations

from collections.abc import Iterable

from tracer.entities import is_exchange
from tracer.labels import Role

_LONGEST = 200  # a real name tag is far shorter; hostile ones are not looked into

_WORDS = {
    Role.MIXER: "tornado-cash ethereum-mixer mixer typhoon-cash typhoon-network cyclone-protocol cycle-finance",
    Role.BRIDGE: """bridge multichain anyswap wormhole hop-protocol across-protocol synapse optics orbit-bridge
        optimism-bridge polygon-bridge avalanche-bridge layerzero stargate-finance celer-network connext""",
    Role.SCAM: "phish-hack phishing heist exploit scam hack rugpull honeypot ponzi",
    Role.SANCTIONED: "ofac-sanctions-lists ofac-sanctioned sanctioned blocked-by-ofac",
    Role.TOKEN: "token-contract bridged-token spam-token stablecoin binance-pegged bitcoin-pegged wrapped-bitcoin",
    Role.MINER: "mining mining-pool f2pool miningpoolhub validator proposer-fee-recipient mev-builder",
    Role.SERVICE: "gambling fiat-gateway payments payment-processor custodian celsius-network blockfi nexo wirex otc",
    Role.BURN: "burn",
    Role.PROTOCOL: """dex defi loans lending vaults staking yield-farming liquidity derivatives options-trading
        0x-protocol 0x-protocol-ecosystem 1inch aave abracadabra-money airswap alchemix-finance alpaca-finance
        armor-fi augmented-finance aura-finance balancer bancor based-finance beefy-finance beethoven-x
        benqi-finance blizz-finance bscswap burgerswap bzx cap-finance compound convex-finance cow-protocol
        cream-finance curve-fi defi-saver dex-ag dexalot dforce dutchx dydx enzyme-finance etheroll fei-protocol
        firebird-finance fortube furucombo gearbox-protocol harvest-finance hundred-finance hydro-protocol hyperjump
        idex idle-finance index-protocol instadapp inverse-finance jarvis-network kyberswap lido liquity looksrare
        loopring lydia-finance lyra-finance maker marketplace mcdex mdex mirror-protocol morpheus-swap mstable
        nexus-mutual olympusdao ooki opensea opyn pancake-bunny pancakeswap pangolin paraswap pendle platypus-finance
        polycat-finance polyquity pooltogether premia quickswap rari-capital reflexer-finance ren reservelending
        ribbon-finance rocket-pool router rubicon saddle-finance scream set-protocol solv-protocol spiritswap
        spookyswap sudoswap sushiswap swipeswap switcheo synthetix tarot tokenlon tomb-finance trader-joe
        typhoon-finance uncx-network unicrypt uniswap unit-protocol value-defi vee-finance venus-protocol
        vesper-finance wigoswap yam-finance yearn-finance zapper-fi zerion""",
}  # fmt: skip
_ROLES = {word: role for role, words in _WORDS.items() for word in words.split()}

#: Parts of an exchange's name tag that mean something of its that is not a wallet it keeps customers' money in.
_NO_WALLET = frozenset((
    "dex", "nft", "router", "airdrop", "distributor", "rewards", "sale", "swap", "blacklister", "unlock", "proceeds",
    "mining", "pool", "treasury", "founders", "undefined", "peg", "initiative", "team", "ceo", "company", "merchant",
))  # fmt: skip
_WALLETS = (" hot wallet", " cold wallet", " warm wallet", " wallet")
_TOKENS = (" token", " tokens", " stablecoin", ": usd coin")


def owner(name: str) -> str:
    """Who a name tag names: what stands before its colon, without number and wallet words.

    >>> owner("Huobi 35"), owner("Tornado.Cash: Router"), owner("Binance Hot Wallet 10"), owner("Fake_Phishing16")
    ('Huobi', 'Tornado.Cash', 'Binance', 'Fake_Phishing16')
    """
    head = _unnumbered(name.partition(": ")[0])
    for wallet in _WALLETS:
        if head.lower().endswith(wallet):
            return head[: -len(wallet)] or head
    return head or name


def deposit_at(name: str) -> str:
    """The exchange a name tag says that this is a customer's deposit address at, "" if it says no such thing.

    >>> deposit_at("Wintermute: Binance Deposit"), deposit_at("FTX: Deposit"), deposit_at("Binance: Deposit Funder 2")
    ('Binance', 'FTX', '')
    """
    if "Deposit" not in name or len(name) > _LONGEST:
        return ""
    text = _unnumbered(name)
    if not text.endswith(" Deposit"):
        return ""
    exchange = text.removesuffix(" Deposit").removesuffix(":").rpartition(": ")[2]
    return exchange if is_exchange(exchange) else ""


def roles_of(name: str, labels: Iterable[str]) -> tuple[Role, ...]:
    """Every role the tag and its label words amount to, (OTHER,) if none.

    >>> roles_of("Tornado.Cash: Router", ["ofac-sanctions-lists", "tornado-cash"])
    (<Role.SANCTIONED: 'sanctioned'>, <Role.MIXER: 'mixer'>)
    >>> roles_of("Binance: BNB Token", ["binance"])
    (<Role.TOKEN: 'token'>,)
    """
    words = list(labels)
    name = name if len(name) <= _LONGEST else ""
    roles = [_ROLES[word] for word in words if word in _ROLES]
    if _unnumbered(name).lower().endswith(_TOKENS) or Role.TOKEN in roles:
        # A token's contract is just that, whichever bridge or exchange issued it: a trace must not end there as theirs.
        roles = [Role.TOKEN, *(role for role in roles if role in (Role.SCAM, Role.SANCTIONED))]
    elif deposit_at(name) or any(word.endswith("-deposit") and is_exchange(word[: -len("-deposit")]) for word in words):
        roles.append(Role.EXCHANGE_DEPOSIT)
    elif _is_wallet(name, words, roles):
        roles.append(Role.EXCHANGE)
    if not roles and name.startswith("Fake_Phishing"):
        roles.append(Role.SCAM)
    return tuple(dict.fromkeys(roles)) or (Role.OTHER,)


def _is_wallet(name: str, words: list[str], roles: list[Role]) -> bool:
    """Whether this is an exchange's own wallet: by the word `exchange`, by its name, or without one by its label."""
    if {Role.SCAM, Role.MIXER, Role.MINER} & set(roles):
        return False  # "FTX Accounts Drainer" is not FTX, nor is a mining pool where deposits go
    if not name:
        return "exchange" in words or any(map(is_exchange, words))
    # A name decides: "Tether: Treasury" is listed under bitfinex and is not Bitfinex's wallet.
    if not ("exchange" in words or is_exchange(owner(name).removesuffix(" Contract"))):
        return False
    return _NO_WALLET.isdisjoint(name.lower().replace(":", " ").replace("-", " ").split())


def _unnumbered(text: str) -> str:
    head, space, number = text.rpartition(" ")
    return head if space and number.isascii() and number.isdecimal() else text
