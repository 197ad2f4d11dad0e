"""Faults in the seam to the network and in the live sources. To plant another, add a row."""

from __future__ import annotations

from mutants.planted import Mutant

HISTORIES = "tests/connectors/faults/test_random_histories.py"
LIVE, RETRYING, PACING, WITHHOLDING = (
    f"tests/connectors/http/test_{name}.py" for name in ("live", "retrying", "pacing", "withholding")
)

MUTANTS = (
    Mutant(
        "Etherscan: a short page is the end",
        "connectors/etherscan/listing.py",
        "            if more is False:\n",
        "            if True:\n",
        HISTORIES,
    ),
    Mutant(
        "Etherscan: the last block of a page is not asked for again",
        "connectors/etherscan/listing.py",
        "return Step(kept, tuple(answers), newest, newest - 1, cap)",
        "return Step(kept, tuple(answers), newest + 1, newest, cap)",
        HISTORIES,
    ),
    Mutant(
        "Etherscan: an empty list says that there is nothing, however far it trails",
        "connectors/etherscan/head.py",
        "    if block == number:\n",
        "    if True:\n",
        HISTORIES,
    ),
    Mutant(
        "Esplora: what an empty page leaves out is not there",
        "connectors/bitcoin/listing.py",
        "        if self.seen < self.total:\n",
        "        if False:\n",
        HISTORIES,
    ),
    Mutant(
        "TronGrid: lists that trail the chain are taken for whole",
        "connectors/tron/proving.py",
        'return f"its list {path} does not reach block',
        'return "" and f"its list {path} does not reach block',
        HISTORIES,
    ),
    Mutant(
        "an answer that is cut short is used",
        "connectors/http/judging.py",
        "        _WHOLE.decode(response.body.decode())\n",
        "        pass\n",
        RETRYING,
    ),
    Mutant(
        "a source is asked again before it allows it",
        "connectors/http/retrying.py",
        "return max(jitter(state), told or 0.0)",
        "return jitter(state)",
        RETRYING,
    ),
    Mutant(
        "a source that is down is asked for ever",
        "connectors/http/retrying.py",
        "        if self._failed >= self._patience.failures:\n",
        "        if False:\n",
        RETRYING,
    ),
    Mutant(
        "a redirect is followed", "connectors/http/live.py", "follow_redirects=False", "follow_redirects=True", LIVE
    ),
    Mutant("proxies of the environment", "connectors/http/live.py", "trust_env=False", "trust_env=True", LIVE),
    Mutant(
        "any host may be asked",
        "connectors/http/live.py",
        "        if request.host.lower() not in self._hosts:\n",
        "        if False:\n",
        LIVE,
    ),
    Mutant(
        "a compressed answer that is cut is used",
        "connectors/http/inflating.py",
        "    if came and not unpacking.eof:\n",
        "    if False:\n",
        LIVE,
    ),
    Mutant(
        "a clock that is set back makes us hurry",
        "connectors/http/pacing.py",
        "SET item_timestamp = item_timestamp - ?",
        "SET item_timestamp = item_timestamp - ? - 100000",
        PACING,
    ),
    Mutant(
        "a key that comes back is kept",
        "connectors/http/withholding.py",
        "        body = body.replace(secret, WITHHELD)\n",
        "        pass\n",
        WITHHOLDING,
    ),
    Mutant(
        "what an issuer seized was burnt by its owner",
        "connectors/evm/token_transfers.py",
        "SinkKind.SEIZED if event.said is Said.SEIZED else SinkKind.BURN",
        "SinkKind.BURN",
        "tests/connectors/evm/test_transactions.py",
    ),
    Mutant(
        "what was seized of anybody is one's own",
        "connectors/evm/reading.py",
        "event.said is Said.SEIZED and event.payer != self._address",
        "False",
        "tests/connectors/evm/test_transactions.py",
    ),
    Mutant(
        "room that an ingest maps is a hole",
        "connectors/bulk/storing.py",
        "os.posix_fallocate(stream.fileno(), there, size - there)",
        "stream.truncate(size)",
        "tests/connectors/bulk/test_storing.py",
    ),
)
