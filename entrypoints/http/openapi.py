"""Prints the contract: `python -m entrypoints.http.openapi > openapi.json` after every change of it."""

import json
import sys

from entrypoints.http.app import contract

if __name__ == "__main__":
    json.dump(json.loads(contract()), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
