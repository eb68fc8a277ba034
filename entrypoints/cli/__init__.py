"""The command line: `posthorn NOUN VERB`."""

from entrypoints.cli.root import cli


def main() -> None:
    """Run the command of `sys.argv`; ends the process."""
    cli(prog_name="posthorn")
