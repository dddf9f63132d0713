from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from fake_http import FakeClock

from pluvo_client.transport.rate_limiter import (
    CUT,
    GROWTH,
    SLOWEST,
    RateLimiter,
    StoppedError,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def limiter_of(
    clock: FakeClock, max_in_flight: int = 4, per_second: float | None = None
) -> RateLimiter:
    return RateLimiter(max_in_flight, per_second, clock)


def starts(limiter: RateLimiter, clock: FakeClock, number: int) -> list[float]:
    """Run requests that take no time, and return when each could start."""
    found = []
    for _ in range(number):
        with limiter.slot():
            found.append(round(clock.now, 6))
        limiter.succeeded()
    return found


def test_without_a_ceiling_nobody_waits(clock: FakeClock) -> None:
    assert starts(limiter_of(clock), clock, 100) == [0] * 100


@pytest.mark.parametrize(("rate", "distance"), [(4, 0.25), (10, 0.1), (0.5, 2)])
def test_starts_keep_the_distance_of_the_ceiling(
    rate: float, distance: float, clock: FakeClock
) -> None:
    found = starts(limiter_of(clock, per_second=rate), clock, 5)
    assert found == pytest.approx([0, distance, 2 * distance, 3 * distance, 4 * distance])


def test_time_that_was_not_used_is_not_made_up_for(clock: FakeClock) -> None:
    limiter = limiter_of(clock, per_second=4)
    starts(limiter, clock, 1)
    clock.now = 10
    assert starts(limiter, clock, 3) == [10, 10.25, 10.5]


def test_a_burst_may_follow_a_pause_and_then_the_distance_is_kept(clock: FakeClock) -> None:
    limiter = RateLimiter(4, 2, clock, burst=3)
    clock.now = 10
    assert starts(limiter, clock, 5) == [10, 10, 10, 10.5, 11]
    clock.now = 12  # of which two have come back
    assert starts(limiter, clock, 3) == [12, 12, 12.5]


def test_a_ceiling_is_never_exceeded_after_a_refusal(clock: FakeClock) -> None:
    limiter = limiter_of(clock, per_second=5)
    starts(limiter, clock, 3)
    limiter.throttled(0)
    found = starts(limiter, clock, 400)
    gaps = [round(later - sooner, 4) for sooner, later in pairwise(found)]
    assert gaps[0] == pytest.approx(1 / (5 * CUT), rel=0.01)
    assert gaps == sorted(gaps, reverse=True)
    assert min(gaps) == pytest.approx(0.2)


def test_a_refusal_stops_everyone_for_as_long_as_was_asked(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    starts(limiter, clock, 10)
    limiter.throttled(7)
    assert starts(limiter, clock, 1) == [7]


def test_the_longest_of_several_waits_counts(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    limiter.throttled(3)
    limiter.throttled(9)
    limiter.throttled(1)
    assert starts(limiter, clock, 1) == [9]


def test_a_refusal_makes_the_pace_a_part_of_what_went_well(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    for _ in range(40):  # twenty a second
        with limiter.slot():
            clock.now += 0.05
        limiter.succeeded()
    limiter.throttled(0)
    found = starts(limiter, clock, 3)
    assert found[2] - found[1] == pytest.approx(1 / (20 * CUT), rel=0.1)


def test_of_refusals_in_one_burst_the_first_counts(clock: FakeClock) -> None:
    one, other = limiter_of(clock, per_second=10), limiter_of(clock, per_second=10)
    for limiter, refusals in ((one, 1), (other, 8)):
        for _ in range(refusals):
            limiter.throttled(5)
    assert one._rate == other._rate == pytest.approx(10 * CUT)


def test_a_refusal_after_the_wait_counts_again(clock: FakeClock) -> None:
    limiter = limiter_of(clock, per_second=10)
    limiter.throttled(5)
    clock.now = 6
    limiter.throttled(5)
    assert limiter._rate == pytest.approx(10 * CUT * CUT)


def test_the_pace_never_comes_to_rest(clock: FakeClock) -> None:
    limiter = limiter_of(clock, per_second=1)
    for _ in range(100):
        limiter.throttled(0)
        clock.now += 1
    assert limiter._rate == SLOWEST


def test_refusals_before_anything_went_well_tell_no_pace(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    limiter.throttled(2)
    assert starts(limiter, clock, 3) == [2, 2, 2]


def test_a_cut_pace_grows_back(clock: FakeClock) -> None:
    limiter = limiter_of(clock)
    starts(limiter, clock, 10)
    limiter.throttled(1)
    before = limiter._rate
    assert before is not None
    starts(limiter, clock, 56)
    after = limiter._rate
    assert after is not None
    assert after == pytest.approx(before * GROWTH**56)
    assert after >= before / CUT * 0.99


def test_a_limit_that_nobody_told_is_found(clock: FakeClock) -> None:
    """Of a server that allows ten a second, in a bucket, in a model without workers."""
    limiter = limiter_of(clock)
    left, filled, refusals = 10.0, 0.0, []
    for number in range(2000):
        with limiter.slot():
            clock.now += 0.01
            left = min(10.0, left + (clock.now - filled) * 10)
            filled = clock.now
        if left >= 1:
            left -= 1
            limiter.succeeded()
        else:
            refusals.append(number)
            limiter.throttled((1 - left) / 10)
    assert refusals
    assert len([number for number in refusals if number >= 100]) < 40
    assert 2000 / clock.now > 7


def test_most_requests_run_at_once() -> None:
    limiter = RateLimiter(3, None)
    inside = threading.Semaphore(0)
    leave = threading.Event()
    running = []

    def work() -> None:
        with limiter.slot():
            running.append(1)
            inside.release()
            leave.wait(30)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        assert inside.acquire(timeout=30)
    assert limiter._in_flight == len(running) == 3
    leave.set()
    for thread in threads:
        thread.join(30)
    assert len(running) == 8
    assert limiter._in_flight == 0


def test_a_turn_ends_also_with_an_error() -> None:
    limiter = RateLimiter(1, None)
    with pytest.raises(KeyError), limiter.slot():
        raise KeyError
    with limiter.slot():
        pass


def test_stop_lets_nobody_start_and_wakes_who_waits() -> None:
    limiter = RateLimiter(1, None)
    ended = []

    def work(wait: str) -> None:
        try:
            if wait == "pause":
                limiter.pause(1000)
            else:
                with limiter.slot():
                    pass
        except StoppedError:
            ended.append(wait)

    with limiter.slot():
        threads = [threading.Thread(target=work, args=[wait]) for wait in ("pause", "slot")]
        for thread in threads:
            thread.start()
        limiter.stop()
        for thread in threads:
            thread.join(30)
    assert sorted(ended) == ["pause", "slot"]
    with pytest.raises(StoppedError), limiter.slot():
        pass


def test_nothing_retries_a_stop() -> None:
    assert not issubclass(StoppedError, Exception)
