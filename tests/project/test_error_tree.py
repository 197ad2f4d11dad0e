"""The tree of errors that tracer.errors draws is the tree it defines."""

from __future__ import annotations

import inspect
import re

import tracer.errors
from tracer.errors import FundtrailError

BRANCH = re.compile(r"^(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+)(?:\s+(?:.*\bexit (?P<code>\d))?)?")


def drawn() -> dict[str, tuple[str, int]]:
    """Class name to (parent, exit code), as the module's docstring draws it. A branch has its parent's code."""
    tree: dict[str, tuple[str, int]] = {}
    above: list[str] = []
    for line in inspect.getdoc(tracer.errors).splitlines()[1:]:  # type: ignore[union-attr]
        found = BRANCH.match(line)
        if not found:
            continue
        del above[len(found["indent"]) // 4 :]
        parent = above[-1] if above else "Exception"
        tree[found["name"]] = parent, int(found["code"] or (tree[parent][1] if above else FundtrailError.exit_code))
        above.append(found["name"])
    return tree


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    real = {
        name: (cls.__base__.__name__, cls.exit_code)
        for name, cls in vars(tracer.errors).items()
        if inspect.isclass(cls) and issubclass(cls, FundtrailError) and cls.__base__
    }
    assert drawn() == real


def test_every_error_says_what_to_do_next() -> None:
    assert FundtrailError("it broke", "mend it").hint == "mend it"
    assert str(FundtrailError("it broke", "mend it")) == "it broke"
