"""Places are given out in order, each with the processors that the fewest others have."""

from __future__ import annotations

from rnnplay.serve.places import Places


async def test_places_go_in_order_and_come_back() -> None:
    places = Places(2)
    asked = [places.ask() for _ in range(4)]
    assert [places.position(one) for one in asked] == [0, 0, 1, 2]
    assert [one.free.done() for one in asked] == [True, True, False, False]
    places.give_back(asked[0])
    places.give_back(asked[0])  # twice is once
    assert [places.position(one) for one in asked[1:]] == [0, 0, 1]
    places.give_back(asked[3])
    assert places.taken == 2


async def test_who_has_gone_while_waiting_takes_no_place() -> None:
    places = Places(1)
    first, second, third = places.ask(), places.ask(), places.ask()
    second.free.cancel()
    places.give_back(second)
    places.give_back(first)
    assert third.free.done()
    assert places.taken == 1


async def test_processors_are_shared_out_evenly() -> None:
    places = Places(8, threads=2, processors=[0, 1, 4, 5])
    given = [places.ask() for _ in range(4)]
    assert [one.free.result() for one in given] == [(0, 1), (4, 5), (0, 1), (4, 5)]
    places.give_back(given[1])
    places.give_back(given[3])
    assert places.ask().free.result() == (4, 5)


async def test_more_threads_than_processors_are_all_of_them() -> None:
    assert Places(1, threads=9, processors=[2, 3]).ask().free.result() == (2, 3)
    assert Places(1, threads=9).ask().free.result() == ()
