"""Any EVM node that speaks JSON-RPC, as a source of wallet histories."""
