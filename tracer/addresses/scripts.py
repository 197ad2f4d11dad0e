"""The output scripts that an address stands for, and back: which script has which address, on every network."""

from __future__ import annotations

from tracer.addresses import base58, cashaddr, segwit
from tracer.addresses.networks import NETWORKS, Network
from tracer.errors import UnknownName
from tracer.values import Address, Chain

_TO_KEY, _TO_SCRIPT, _TO_LONG_SCRIPT = (b"\x76\xa9\x14", b"\x88\xac"), (b"\xa9\x14", b"\x87"), (b"\xaa\x20", b"\x87")
_RETURN = 0x6A
_HIDDEN = (8, 9)  # witness versions that stand for coins inside Litecoin's MWEB, where amounts and owners are hidden


def address_of(script: bytes, chain: Chain) -> Address | None:
    """The address that stands for `script` on `chain`; None where there is none, as for a bare key or multisignature.

    >>> address_of(bytes.fromhex("0014751e76e8199196d454941c45d1b3a323f1433bd6"), Chain.named("bitcoin")).text
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
    """
    network = _network(chain)
    if digest := _inside(script, *_TO_KEY, 20):
        return Address(chain, _write(network, cashaddr.KEY, digest))
    if digest := _inside(script, *_TO_SCRIPT, 20):
        return Address(chain, _write(network, cashaddr.SCRIPT, digest))
    if network.cashaddr and (digest := _inside(script, *_TO_LONG_SCRIPT, 32)):
        return Address(chain, cashaddr.write(network.cashaddr, cashaddr.SCRIPT, digest))
    if not network.segwit or not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    version, program = script[0] - 0x50 if script[0] else 0, script[2:]
    if not 0 <= version <= 16 or script[0] == 0x50 or (version == 0 and len(program) not in (20, 32)):
        return None
    if version in _HIDDEN and chain.name.startswith("litecoin"):
        return None
    return Address(chain, segwit.write(network.segwit, version, program))


def script_of(address: Address) -> bytes:
    """The script that a payment to `address` makes.

    >>> script_of(Address(Chain.named("dogecoin"), "D5dAUAx3Ezg1q4dRgzKTBsxp4VJietWkDh")).hex()[:6]
    '76a914'
    """
    network, text = _network(address.chain), address.text
    if network.cashaddr:
        kind, digest = cashaddr.digest(text, network.cashaddr)
        long = _TO_LONG_SCRIPT if len(digest) == 32 else _TO_SCRIPT
        begin, end = _TO_KEY if kind == cashaddr.KEY else long
        return begin + digest + end
    if network.segwit and text.startswith(network.segwit + "1"):
        version, program = segwit.program(text, network.segwit)
        return bytes([version + 0x50 if version else 0, len(program)]) + program
    version, digest = base58.read(text)
    begin, end = _TO_KEY if version in network.key else _TO_SCRIPT
    return begin + digest + end


def unspendable(script: bytes) -> bool:
    """True for OP_RETURN: whatever is paid there is lost."""
    return script[:1] == bytes([_RETURN])


def _inside(script: bytes, begin: bytes, end: bytes, length: int) -> bytes:
    if len(script) != len(begin) + length + len(end) or not (script.startswith(begin) and script.endswith(end)):
        return b""
    return script[len(begin) : len(begin) + length]


def _write(network: Network, kind: int, digest: bytes) -> str:
    if network.cashaddr:
        return cashaddr.write(network.cashaddr, kind, digest)
    return base58.write((network.key if kind == cashaddr.KEY else network.script)[0], digest)


def _network(chain: Chain) -> Network:
    try:
        return NETWORKS[chain.name]
    except KeyError:
        raise UnknownName.among("network of the Bitcoin family", chain.name, NETWORKS) from None
