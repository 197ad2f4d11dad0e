"""The two questions asked of an address text: what is it on this chain, and on which chains is it anything at all."""

from __future__ import annotations

from tracer.addresses import bitcoin, evm, tron
from tracer.addresses.alphabets import COPY_AGAIN
from tracer.addresses.networks import NETWORKS
from tracer.errors import BadAddress, UnknownName
from tracer.values import CHAINS, Address, Chain, Family

_LONGEST = 200  # no form comes near; a megabyte of hostile text is not worth decoding
_TEST_NETWORKS = tuple(name for name in NETWORKS if name not in CHAINS)


def parse(text: str, chain: Chain) -> Address:
    """The address that `text` names on `chain`, in its one spelling. White space around it is ignored.

    Raises `BadAddress`, which names what is wrong: the chain, a character and its position, the length, the prefix,
    the witness version or the checksum. Small hex digits carry no checksum: a mistyped one cannot be seen.

    >>> str(parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Chain.named("ethereum")))
    '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'
    >>> parse("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", Chain.named("bsc"))
    Traceback (most recent call last):
    ...
    tracer.errors.BadAddress: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t' is not an address of bsc: this is a tron address
    """
    if not isinstance(text, str):
        raise BadAddress(f"not an address but {type(text).__name__}: {text!r:.100}", "an address is text")
    if chain.family is Family.EVM and evm.is_canonical(text):
        return Address(chain, text)
    text = text.strip()
    try:
        return Address(chain, _read(text, chain))
    except BadAddress as error:
        reason, hint = _elsewhere(text) or (str(error), error.hint)
        raise BadAddress(f"{text[:100]!r:.100} is not an address of {chain}: {reason}", hint) from None


def recognise(text: str) -> tuple[Address, ...]:
    """The address on every chain where `text` is one, in the order of `CHAINS`; () if it is none.

    An 0x address counts for every EVM chain but not for Tron, although `parse` takes it there: in that form only the
    reader knows that Tron is meant. `1...` counts for Bitcoin and Bitcoin Cash, `3...` for Litecoin too.

    >>> [str(address.chain) for address in recognise("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")]
    ['bitcoin', 'bitcoin-cash']
    >>> recognise("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
    ()
    """
    text = text.strip()
    found: list[Address] = []
    for chain in CHAINS.values():
        if chain.family is not Family.EVM and found and found[0].chain.family is Family.EVM:
            break
        try:
            found.append(Address(chain, _read(text, chain)))
        except BadAddress:
            continue
    return tuple(found)


def _read(text: str, chain: Chain) -> str:
    if not text:
        raise BadAddress("it is empty", "give an address")
    if len(text) > _LONGEST:
        raise BadAddress(f"its length is wrong: {len(text)} characters", "give one address, and nothing else")
    if not text.isascii():  # first of all, as lower() turns the Kelvin sign into a "k"
        place, letter = next((place, letter) for place, letter in enumerate(text, 1) if not letter.isascii())
        raise BadAddress(
            f"character {letter!a} at position {place} is not a letter or digit of any address",
            "it may look like one, or be invisible; " + COPY_AGAIN,
        )
    if chain.family is Family.EVM:
        return evm.read(text)
    if chain.family is Family.TRON:
        return tron.read(text)
    if chain.name not in NETWORKS:
        raise UnknownName.among("network of the Bitcoin family", chain.name, NETWORKS)
    return bitcoin.read(text, NETWORKS[chain.name])


def _elsewhere(text: str) -> tuple[str, str] | None:
    """Reason and hint if the text is an address, only not here: the likeliest mistake, and the easiest to mend."""
    if found := recognise(text):
        names = [address.chain.name for address in found]
        if found[0].chain.family is Family.EVM:
            return "this is an EVM address", f"name the chain it is meant on: {', '.join(names)}"
        return f"this is a {' or '.join(names)} address", f"name that chain instead: {' or '.join(names)}"
    for name in _TEST_NETWORKS:
        try:
            _read(text, Chain(name, Family.BITCOIN, "", 0))
        except BadAddress:
            continue
        kind = name.rpartition("-")[2]
        return f"this is a {kind} address ({name})", "coins there are worth nothing; give the address on the real chain"
    return None
