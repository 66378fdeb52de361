"""Turns go to those who wait, in the order in which they came; nobody's is lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from core.adapters.turns import Turns
from tests.waiting import until

LONG_S = 30.0


def waiting(turns: Turns) -> int:
    return len(turns._waiting)


def test_they_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, order = Turns(), list[int]()

    def take(number: int) -> None:
        assert turns.take(LONG_S)
        order.append(number)
        turns.leave()

    def all_wait(count: int) -> Callable[[], bool]:
        return lambda: waiting(turns) == count

    assert turns.take(LONG_S)
    with ThreadPoolExecutor(5) as pool:
        for number in range(5):
            pool.submit(take, number)
            until(all_wait(number + 1))
        turns.leave()
    assert order == [0, 1, 2, 3, 4]
    assert turns.take(0)


def test_who_waits_in_vain_is_not_handed_a_turn() -> None:
    turns = Turns()
    assert turns.take(0)
    assert not turns.take(0)
    assert not turns.hand_on()
    turns.leave()
    assert turns.take(0)


def test_a_turn_handed_on_is_the_other_s() -> None:
    turns, took = Turns(), threading.Event()

    def take() -> None:
        assert turns.take(LONG_S)
        took.set()

    assert turns.take(LONG_S)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(take)
        until(lambda: waiting(turns) == 1)
        assert turns.hand_on()
        assert took.wait(LONG_S)
    assert not turns.take(0)


def test_a_turn_that_comes_at_the_last_moment_is_taken() -> None:
    """Between the end of the waiting and the withdrawal, the turn was handed on."""
    turns = Turns()
    assert turns.take(0)
    mine = threading.Lock()
    mine.acquire()
    turns._waiting.append(mine)
    assert turns.hand_on()
    assert not turns._gave_up(mine)


def test_of_many_with_little_patience_one_at_a_time_has_it() -> None:
    turns, inside, most, taken = Turns(), 0, 0, 0

    def work(number: int) -> None:
        nonlocal inside, most, taken
        for _ in range(200):
            if turns.take(0.0001 * (number % 3)):
                inside += 1
                most, taken = max(most, inside), taken + 1
                inside -= 1
                turns.leave()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert most == 1
    assert taken
    assert turns.take(0)
    assert waiting(turns) == 0
