"""A fair lock goes to those who wait, in the order in which they came; none is lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from core.adapters.fair_lock import FairLock
from tests.waiting import until

LONG_S = 30.0


def waiting(lock: FairLock) -> int:
    return len(lock._waiting)


def test_they_come_in_the_order_in_which_they_were_asked_for() -> None:
    lock, order = FairLock(), list[int]()

    def take(number: int) -> None:
        assert lock.acquire(LONG_S)
        order.append(number)
        lock.release()

    def all_wait(count: int) -> Callable[[], bool]:
        return lambda: waiting(lock) == count

    assert lock.acquire(LONG_S)
    with ThreadPoolExecutor(5) as pool:
        for number in range(5):
            pool.submit(take, number)
            until(all_wait(number + 1))
        lock.release()
    assert order == [0, 1, 2, 3, 4]
    assert lock.acquire(0)


def test_who_waits_in_vain_is_not_handed_a_turn() -> None:
    lock = FairLock()
    assert lock.acquire(0)
    assert not lock.acquire(0)
    assert not lock.hand_on()
    lock.release()
    assert lock.acquire(0)


def test_a_turn_handed_on_is_the_other_s() -> None:
    lock, took = FairLock(), threading.Event()

    def take() -> None:
        assert lock.acquire(LONG_S)
        took.set()

    assert lock.acquire(LONG_S)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(take)
        until(lambda: waiting(lock) == 1)
        assert lock.hand_on()
        assert took.wait(LONG_S)
    assert not lock.acquire(0)


def test_a_turn_that_comes_at_the_last_moment_is_taken() -> None:
    """A turn that is handed on between the timeout and the withdrawal is not lost."""
    lock = FairLock()
    assert lock.acquire(0)
    mine = threading.Lock()
    mine.acquire()
    lock._waiting.append(mine)
    assert lock.hand_on()
    assert not lock._leave_queue(mine)


def test_of_many_with_little_patience_one_at_a_time_has_it() -> None:
    lock, inside, most, taken = FairLock(), 0, 0, 0

    def work(number: int) -> None:
        nonlocal inside, most, taken
        for _ in range(200):
            if lock.acquire(0.0001 * (number % 3)):
                inside += 1
                most, taken = max(most, inside), taken + 1
                inside -= 1
                lock.release()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert most == 1
    assert taken
    assert lock.acquire(0)
    assert waiting(lock) == 0
