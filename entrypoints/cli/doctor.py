"""`posthorn doctor`."""

import sys

import click

from entrypoints.cli.shell import FAILED, Shell, json_option, out, pass_shell, plain, run, show


@click.command()
@json_option
@pass_shell
def doctor(shell: Shell, as_json: bool) -> None:
    """Look at configuration, database, broker, topology, keys and providers; say what mends each fault.

    Exit code 1 when something is not as it should be.
    """
    settings = shell.load().settings
    from config.diagnosis import Finding, examine

    async def work() -> list[Finding]:
        return [finding async for finding in examine(settings)]

    findings = run(work)
    if as_json:
        show(findings)
    else:
        for finding in findings:
            mark = "[green]✓[/]" if finding.fine else "[red]✗[/]"
            out().print(f"{mark} {finding.what:<14} {plain(finding.detail)}", soft_wrap=True)
            if finding.mend:
                out().print(f"  {'':<14} [bold]{plain(finding.mend)}[/]", soft_wrap=True)
    sys.exit(0 if all(finding.fine for finding in findings) else FAILED)
