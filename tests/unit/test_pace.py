from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from fake_http import Clock, Condition

from tap_pluvo import pace as module
from tap_pluvo.pace import CUT, GROWTH, SLOWEST, Pace, StoppedError


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def pace_of(clock: Clock, most: int = 4, per_second: float | None = None) -> Pace:
    found = Pace(most, per_second)
    found._condition = Condition(clock)  # type: ignore[assignment]
    return found


def starts(pace: Pace, clock: Clock, number: int) -> list[float]:
    """Run requests that take no time, and return when each could start."""
    found = []
    for _ in range(number):
        with pace.turn():
            found.append(round(clock.now, 6))
        pace.succeeded()
    return found


def test_without_a_ceiling_nobody_waits(clock: Clock) -> None:
    assert starts(pace_of(clock), clock, 100) == [0] * 100


@pytest.mark.parametrize(("rate", "distance"), [(4, 0.25), (10, 0.1), (0.5, 2)])
def test_starts_keep_the_distance_of_the_ceiling(
    rate: float, distance: float, clock: Clock
) -> None:
    found = starts(pace_of(clock, per_second=rate), clock, 5)
    assert found == pytest.approx([0, distance, 2 * distance, 3 * distance, 4 * distance])


def test_time_that_was_not_used_is_not_made_up_for(clock: Clock) -> None:
    pace = pace_of(clock, per_second=4)
    starts(pace, clock, 1)
    clock.now = 10
    assert starts(pace, clock, 3) == [10, 10.25, 10.5]


def test_a_ceiling_is_never_exceeded_after_a_refusal(clock: Clock) -> None:
    pace = pace_of(clock, per_second=5)
    starts(pace, clock, 3)
    pace.refused(0)
    found = starts(pace, clock, 400)
    gaps = [round(later - sooner, 4) for sooner, later in pairwise(found)]
    assert gaps[0] == pytest.approx(1 / (5 * CUT), rel=0.01)
    assert gaps == sorted(gaps, reverse=True)
    assert min(gaps) == pytest.approx(0.2)


def test_a_refusal_stops_everyone_for_as_long_as_was_asked(clock: Clock) -> None:
    pace = pace_of(clock)
    starts(pace, clock, 10)
    pace.refused(7)
    assert starts(pace, clock, 1) == [7]


def test_the_longest_of_several_waits_counts(clock: Clock) -> None:
    pace = pace_of(clock)
    pace.refused(3)
    pace.refused(9)
    pace.refused(1)
    assert starts(pace, clock, 1) == [9]


def test_a_refusal_makes_the_pace_a_part_of_what_went_well(clock: Clock) -> None:
    pace = pace_of(clock)
    for _ in range(40):  # twenty a second
        with pace.turn():
            clock.now += 0.05
        pace.succeeded()
    pace.refused(0)
    found = starts(pace, clock, 3)
    assert found[2] - found[1] == pytest.approx(1 / (20 * CUT), rel=0.1)


def test_of_refusals_in_one_burst_the_first_counts(clock: Clock) -> None:
    one, other = pace_of(clock, per_second=10), pace_of(clock, per_second=10)
    for pace, refusals in ((one, 1), (other, 8)):
        for _ in range(refusals):
            pace.refused(5)
    assert one._rate == other._rate == pytest.approx(10 * CUT)


def test_a_refusal_after_the_wait_counts_again(clock: Clock) -> None:
    pace = pace_of(clock, per_second=10)
    pace.refused(5)
    clock.now = 6
    pace.refused(5)
    assert pace._rate == pytest.approx(10 * CUT * CUT)


def test_the_pace_never_comes_to_rest(clock: Clock) -> None:
    pace = pace_of(clock, per_second=1)
    for _ in range(100):
        pace.refused(0)
        clock.now += 1
    assert pace._rate == SLOWEST


def test_refusals_before_anything_went_well_tell_no_pace(clock: Clock) -> None:
    pace = pace_of(clock)
    pace.refused(2)
    assert starts(pace, clock, 3) == [2, 2, 2]


def test_a_cut_pace_grows_back(clock: Clock) -> None:
    pace = pace_of(clock)
    starts(pace, clock, 10)
    pace.refused(1)
    before = pace._rate
    assert before is not None
    starts(pace, clock, 56)
    assert pace._rate is not None
    assert pace._rate == pytest.approx(before * GROWTH**56)
    assert pace._rate >= before / CUT * 0.99


def test_a_limit_that_nobody_told_is_found(clock: Clock) -> None:
    """Of a server that allows ten a second, in a bucket, in a model without workers."""
    pace = pace_of(clock)
    left, filled, refusals = 10.0, 0.0, []
    for number in range(2000):
        with pace.turn():
            clock.now += 0.01
            left = min(10.0, left + (clock.now - filled) * 10)
            filled = clock.now
        if left >= 1:
            left -= 1
            pace.succeeded()
        else:
            refusals.append(number)
            pace.refused((1 - left) / 10)
    assert refusals
    assert len([number for number in refusals if number >= 100]) < 40
    assert 2000 / clock.now > 7


def test_most_requests_run_at_once() -> None:
    pace = Pace(3, None)
    inside = threading.Semaphore(0)
    leave = threading.Event()
    running = []

    def work() -> None:
        with pace.turn():
            running.append(1)
            inside.release()
            leave.wait(30)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        assert inside.acquire(timeout=30)
    assert pace._running == len(running) == 3
    leave.set()
    for thread in threads:
        thread.join(30)
    assert len(running) == 8
    assert pace._running == 0


def test_a_turn_ends_also_with_an_error() -> None:
    pace = Pace(1, None)
    with pytest.raises(KeyError), pace.turn():
        raise KeyError
    with pace.turn():
        pass


def test_stop_lets_nobody_start_and_wakes_who_waits() -> None:
    pace = Pace(1, None)
    ended = []

    def work(wait: str) -> None:
        try:
            if wait == "pause":
                pace.pause(1000)
            else:
                with pace.turn():
                    pass
        except StoppedError:
            ended.append(wait)

    with pace.turn():
        threads = [threading.Thread(target=work, args=[wait]) for wait in ("pause", "turn")]
        for thread in threads:
            thread.start()
        pace.stop()
        for thread in threads:
            thread.join(30)
    assert sorted(ended) == ["pause", "turn"]
    with pytest.raises(StoppedError), pace.turn():
        pass


def test_nothing_retries_a_stop() -> None:
    assert not issubclass(StoppedError, Exception)
