"""What the benchmarks share: medians of process and wall time, and facts of the machine to print beside them."""

from __future__ import annotations

import gc
import os
import platform
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Times:
    """Medians in seconds. Process time leaves out what others on the machine do; wall time is what a person waits."""

    process: float
    wall: float

    @property
    def cells(self) -> list[str]:
        """Both, as a table shows them."""
        return [f"{self.process:.3f}", f"{self.wall:.3f}"]


def measured(prepare: Callable[[], T], work: Callable[[T], object], times: int = 5) -> Times:
    """The median times of `work` on a newly prepared thing each time, after one run that does not count."""
    work(prepare())
    found = []
    for _ in range(times):
        thing = prepare()
        gc.collect()
        wall, process = time.perf_counter(), time.process_time()
        work(thing)
        found.append((time.process_time() - process, time.perf_counter() - wall))
    return _medians(found)


def measured_commands(commands: Sequence[Sequence[str]], times: int = 15) -> list[Times]:
    """The median times of each command as a process of its own; they take turns, so that noise hits all alike.

    Each runs once before it counts and finds its byte code compiled, as an installed program does, whatever the
    environment of the benchmark says.
    """
    found: list[list[tuple[float, float]]] = [[] for _ in commands]
    with tempfile.TemporaryDirectory() as compiled:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = compiled
        for command in commands:
            _run(command, env)
        for _ in range(times):
            for command, times_of in zip(commands, found, strict=True):
                wall, process = time.perf_counter(), _children()
                _run(command, env)
                times_of.append((_children() - process, time.perf_counter() - wall))
    return [_medians(times_of) for times_of in found]


def bar(value: float, most: float, unit: str = "s") -> str:
    """Whether the bar is met, in words. A benchmark never fails: the machine may be slow."""
    return f"{'met' if value <= most else 'MISSED'}: at most {most} {unit}"


def machine() -> str:
    """What the figures were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cores} cores ({platform.machine()}), {python}, {platform.system()}{load}"


def _run(command: Sequence[str], env: Mapping[str, str]) -> None:
    subprocess.run(command, check=True, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _medians(found: Sequence[tuple[float, float]]) -> Times:
    return Times(median(process for process, _ in found), median(wall for _, wall in found))
