"""Reads YAML as text, lists and mappings only: no types to guess wrongly, no aliases, no key twice, no deep nesting."""

from __future__ import annotations

from tracer.errors import InputError

MOST_DEPTH = 8

Yaml = str | list["Yaml"] | dict[str, "Yaml"]


def parse_yaml(text: str, where: str) -> Yaml:
    """The value of a YAML text, every scalar as it is written. Raises `InputError`, which begins with `where`.

    It works on events, not with `yaml.load`: an address written without quotes would become a number there, an
    alias can blow a small file up, and the C loader crashes on a file of opening brackets.

    >>> parse_yaml("tags:\\n- address: 0x00e0\\n  lastmod: 2021-11-04\\n", "pack.yaml")
    {'tags': [{'address': '0x00e0', 'lastmod': '2021-11-04'}]}
    """
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # C where PyYAML was built with it
    root: list[Yaml] = []
    stack: list[list[Yaml] | dict[str, Yaml]] = [root]
    keys: list[str | None] = [None]  # the key waiting for its value, for each open mapping
    try:
        for event in yaml.parse(text, Loader=loader):
            value: Yaml
            if isinstance(event, yaml.ScalarEvent):
                value = event.value
            elif isinstance(event, yaml.MappingStartEvent):
                value = {}
            elif isinstance(event, yaml.SequenceStartEvent):
                value = []
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                stack.pop()
                keys.pop()
                continue
            elif isinstance(event, yaml.AliasEvent):
                raise _refused(where, event, "aliases are not read", "write the value out where it is used")
            elif isinstance(event, yaml.DocumentStartEvent) and root:
                raise _refused(where, event, "a second document begins", "split the file")
            else:
                continue
            top = stack[-1]
            if isinstance(top, list):
                top.append(value)
            elif (key := keys[-1]) is not None:
                top[key] = value
                keys[-1] = None
            elif not isinstance(value, str):
                raise _refused(where, event, "a key is not text", "write it as a plain word")
            elif value in top:
                raise _refused(where, event, f"the key {value!r:.60} stands twice", "one of the two must go")
            else:
                keys[-1] = value
            if not isinstance(value, str):
                if len(stack) > MOST_DEPTH:
                    raise _refused(where, event, "nested too deeply", "no label file needs more than a few levels")
                stack.append(value)
                keys.append(None)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{where} is not YAML: {reason:.200}", "the file may be cut short; copy it again") from None
    if not root:
        raise InputError(f"{where} is empty", "check that it was copied or downloaded completely")
    return root[0]


def _refused(where: str, event: object, reason: str, hint: str) -> InputError:
    line = event.start_mark.line + 1  # type: ignore[attr-defined]  # every event has it; the stubs do not know
    return InputError(f"{where}, line {line}: {reason}", hint)
