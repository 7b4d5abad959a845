"""Views ask often enough to be live and seldom enough not to hold up training."""

from __future__ import annotations

from rnnplay.tui.pacing import LOST_SECONDS, STALE_SECONDS, TYPING_SECONDS, Pace, Repaints


def test_the_first_question_is_due_at_once() -> None:
    assert Pace(3.0).due(100.0, moved=False)


def test_one_question_at_a_time_and_no_sooner_than_every() -> None:
    pace = Pace(3.0)
    pace.asked(0.0)
    assert not pace.due(5.0, moved=True)  # not answered
    pace.answered()
    assert not pace.due(2.9, moved=True)
    assert pace.due(3.0, moved=True)
    assert not pace.due(100.0, moved=False)  # the weights are the same: so is the answer


def test_an_answer_that_cost_much_is_asked_for_seldom() -> None:
    pace = Pace(3.0, fraction=0.03)
    pace.asked(0.0)
    pace.answered(cost=0.6)
    assert not pace.due(19.9, moved=True)
    assert pace.due(20.0, moved=True)
    assert pace.due(3.0, moved=True, training=False), "nothing is held up any more"


def test_what_the_person_chooses_does_not_wait() -> None:
    pace = Pace(3.0, fraction=0.03)
    pace.asked(0.0)
    pace.want()
    assert pace.due(0.1, moved=False)


def test_a_lost_answer_is_asked_for_again() -> None:
    pace = Pace(3.0)
    pace.asked(0.0)
    assert not pace.due(LOST_SECONDS - 0.1, moved=True)
    assert pace.due(LOST_SECONDS, moved=False)


class Painter:
    """Repaints by a clock that stands still."""

    def __init__(self) -> None:
        self.now = 100.0
        self.repaints = Repaints(lambda: self.now)


def test_news_are_painted_once_however_many_there_are() -> None:
    painter = Painter()
    assert painter.repaints.wait() is None
    assert [painter.repaints.news() for _ in range(3)] == [True, False, False]
    assert painter.repaints.wait() == 0.0
    painter.repaints.painted()
    assert painter.repaints.wait() is None
    assert painter.repaints.news()


def test_a_typist_is_waited_for_and_charts_come_behind_the_echo_once_they_are_old() -> None:
    painter = Painter()
    painter.repaints.painted()
    painter.repaints.news()
    painter.now += STALE_SECONDS / 2
    assert not painter.repaints.typed(), "they are not old yet"
    assert painter.repaints.wait() == TYPING_SECONDS
    painter.now += STALE_SECONDS
    assert painter.repaints.typed()
    painter.now += TYPING_SECONDS
    assert painter.repaints.wait() == 0.0
    painter.repaints.painted()
    assert not painter.repaints.typed(), "there is nothing to paint"
