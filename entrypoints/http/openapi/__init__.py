"""The contract, written from the handlers' own structs."""
