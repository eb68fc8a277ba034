"""The command line: `posthorn NOUN VERB`."""

import gc


def main() -> None:
    """Run the command of `sys.argv`; ends the process."""
    gc.disable()  # loading makes no garbage, and a seventh of a start went into looking for some; see `run`
    from entrypoints.cli.root import cli

    cli(prog_name="posthorn")
