"""Asks again where that may help, as long and as politely as the source says. tenacity lives here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.http.judging import Again, Judge, Skip, Stop, Use, Verdict
from connectors.http.protocol import Clock, Request, Response, Transport, Unanswered
from tracer.errors import BadRow, SourceError, SourceSkipped, SourceUnusable


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long one request is tried, in all. Waits are drawn at random below a bound that doubles."""

    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_told: float = 300.0  # a source that says "come back in an hour" is left until the next run
    failures: int = 3  # requests that failed for good one after the other, until the source counts as down


class Retrying:
    """`send` gives an answer that `judge` calls usable, or raises.

    `SourceSkipped` where this request is not answered, `SourceUnusable` where no other will be either: the source
    says so, or `Patience.failures` requests in a row got no answer at all.
    """

    def __init__(
        self, inner: Transport, source: str, judge: Judge, clock: Clock, patience: Patience | None = None
    ) -> None:
        self._inner, self._source, self._judge, self._clock = inner, source, judge, clock
        self._patience = patience or Patience()
        self._failed = 0
        self._free = 0.0  # when the source, as it said itself, may be asked again

    def send(self, request: Request) -> Response:
        """See `Transport`."""
        import tenacity

        patience = self._patience
        jitter = tenacity.wait_random_exponential(multiplier=patience.first_wait, max=patience.longest_wait)

        def wait(state: Any) -> float:
            told: float | None = state.outcome.exception().after
            return max(jitter(state), told or 0.0)  # "after 0 seconds" is no leave to ask as fast as we can

        def patient(error: BaseException) -> bool:
            return isinstance(error, _NotYet) and error.again and (error.after or 0) <= patience.longest_told

        retrying = tenacity.Retrying(
            sleep=self._clock.sleep,
            stop=tenacity.stop_after_attempt(patience.attempts),
            wait=wait,
            retry=tenacity.retry_if_exception(patient),
            reraise=True,
        )
        if (early := self._free - self._clock.monotonic()) > 0:
            self._clock.sleep(early)
        try:
            response: Response = retrying(self._once, request)
        except _NotYet as error:
            raise self._given_up(error) from None
        self._failed = 0
        return response

    def _once(self, request: Request) -> Response:
        try:
            response = self._inner.send(request)
        except Unanswered as error:
            if not error.again and not error.down:
                raise self._skipped(str(error), request, error.body) from None
            raise _NotYet(str(error), request, error.body, again=error.again) from None
        verdict = self._verdict(response)
        if isinstance(verdict, Use):
            return response
        if isinstance(verdict, Again):
            if verdict.after is not None and verdict.after <= self._patience.longest_told:
                self._free = self._clock.monotonic() + verdict.after  # for the next request too, should this one fail
            raise _NotYet(verdict.why, request, response.body, verdict.after)
        if isinstance(verdict, Stop):
            told = f"{self._source}: {verdict.why}"
            raise SourceUnusable(told, verdict.hint, source=self._source, request=str(request), body=response.body)
        raise self._skipped(verdict.why, request, response.body)

    def _verdict(self, response: Response) -> Verdict:
        """What the judge says; an answer that it cannot even read is not read by anybody else either."""
        try:
            return self._judge(response)
        except (BadRow, UnicodeDecodeError) as error:
            return Again(str(error)) if response.status == 200 else Skip(str(error))

    def _skipped(self, why: str, request: Request, body: bytes) -> SourceSkipped:
        self._failed = 0  # it is there, and has answered
        return SourceSkipped(f"{self._source}: {why}", source=self._source, request=str(request), body=body)

    def _given_up(self, error: _NotYet) -> SourceError:
        self._failed += 1
        asked = str(error.request)
        if (error.after or 0) > self._patience.longest_told:
            told = f"{self._source} asks to wait {error.after:.0f} s: {error}"
            hint = "run the same command again then: it goes on where it was"
            return SourceUnusable(told, hint, source=self._source, request=asked, body=error.body)
        often = f", asked {self._patience.attempts} times" if error.again else ""
        told = f"{self._source} did not answer{often}: {error}"
        if self._failed >= self._patience.failures:
            hint = "it looks down: run the same command again later, it goes on where it was"
            return SourceUnusable(told, hint, source=self._source, request=asked, body=error.body)
        hint = "check its address, and that this machine reaches it; then run the same command again"
        return SourceSkipped(told, hint, source=self._source, request=asked, body=error.body)


class _NotYet(Exception):
    """To be asked again if `again`, not before `after` seconds. `body` is what had come."""

    def __init__(
        self, why: str, request: Request, body: bytes, after: float | None = None, *, again: bool = True
    ) -> None:
        super().__init__(why)
        self.request = request
        self.body = body
        self.after = after
        self.again = again


__all__ = ["Patience", "Retrying"]
