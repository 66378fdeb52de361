from cli.processes.supervision.backoff import Backoff


def test_each_wait_is_longer_and_then_it_gives_up() -> None:
    backoff = Backoff(delays_s=(1, 2, 4))
    assert [backoff.after(lasted_s=0) for _ in range(4)] == [1, 2, 4, None]


def test_a_child_that_lasted_starts_over() -> None:
    backoff = Backoff(delays_s=(1, 2), steady_s=10)
    assert [backoff.after(0), backoff.after(0)] == [1, 2]
    assert backoff.after(lasted_s=10) == 1


def test_it_keeps_giving_up() -> None:
    backoff = Backoff(delays_s=())
    assert backoff.after(0) is None
    assert backoff.after(0) is None
