"""How a command ends: the exit codes, and an error as two lines, what happened and what to do next."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from cli.printing import end_of_progress, say, visible

PARTIAL = 3
INTERRUPTED = 130
BULK_LIBRARIES = ("numba", "numpy", "pyarrow")
TABLE_LIBRARIES = ("pandas", "pyarrow", "xlsxwriter")


class FrontDoor(click.Group):
    """Every error that is meant for people becomes two lines on standard error and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        from tracer.errors import FundtrailError

        try:
            return super().invoke(ctx)
        except FundtrailError as error:
            _complain(str(error), error.hint)
            ctx.exit(error.exit_code)
        except ModuleNotFoundError as error:
            library = (error.name or "").partition(".")[0]
            if library in TABLE_LIBRARIES and ctx.invoked_subcommand in ("export", "import"):
                what, extra = "this format needs", "tables"
            elif library in BULK_LIBRARIES:
                what, extra = "bulk ledgers need", "bulk"
            else:
                raise
            _complain(f"{what} more libraries: there is no {error.name}", f"pip install 'fundtrail[{extra}]'")
            ctx.exit(1)
        except KeyboardInterrupt:
            _complain("interrupted", "what was kept stays kept; the same command goes on from there")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:  # the reader of our output has left, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)


def _complain(message: str, hint: str) -> None:
    end_of_progress()
    say(f"fundtrail: {visible(message)}")
    if hint:
        say(f"  try: {visible(hint)}")
