"""Answers to older requests are out of date; of a long prompt only what is new is sent, and arrives whole."""

from __future__ import annotations

import random

from rnnplay.config import SamplingConfig
from rnnplay.engine.messages import Complete, Sample
from rnnplay.text.tokenizers.preparing import common_length
from rnnplay.tui.requests import LONG_PROMPT, Requests


def test_the_common_beginning_of_two_texts() -> None:
    for one, other, length in [("", "", 0), ("a", "", 0), ("abc", "abd", 2), ("abc", "abc", 3), ("ab", "abc", 2)]:
        assert common_length(one, other) == common_length(other, one) == length


def test_edits_of_a_long_text_arrive_as_they_were_typed() -> None:
    draw = random.Random(1)
    sent, engine, text = Requests(), "", "x" * (LONG_PROMPT + 50)
    for number in range(200):
        at = draw.randrange(len(text) + 1) if number % 3 else len(text)
        text = text[:at] + draw.choice("xyz") + text[at + draw.randrange(2) :]
        request = sent.shortened(Complete(request=number, text=text))
        engine = engine[: request.kept] + request.text
        assert engine == text
    one_more = sent.shortened(Complete(request=1, text=text + "!"))
    assert (one_more.text, one_more.kept) == ("!", len(text))


def test_after_forgetting_the_whole_text_is_sent() -> None:
    sent, text = Requests(), "x" * 2000
    sent.shortened(Complete(request=1, text=text))
    sent.send_whole()
    assert sent.shortened(Complete(request=2, text=text)) == Complete(request=2, text=text)


def test_only_the_newest_request_for_a_purpose_is_waited_for() -> None:
    requests = Requests()
    old, new = (Complete(request=requests.number(), text=text) for text in ("a", "ab"))
    sample = Sample(request=requests.number(), prompt="a", sampling=SamplingConfig())
    for purpose, request in (("prompt", old), ("prompt", new), ("sample", sample)):
        requests.note(purpose, request)
    assert len({old.request, new.request, sample.request}) == 3
    assert [requests.purpose_of(one.request) for one in (old, new, sample)] == ["", "prompt", "sample"]
    assert requests.newest("prompt") is new
    requests.drop("prompt")
    assert requests.newest("prompt") is None and requests.purpose_of(new.request) == ""
