"""The engine's pipes: a slow or absent reader never stalls the trainer, and what is held stays bounded."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from rnnplay.common.jsonl import decode_line, encode_line
from rnnplay.engine import messages
from rnnplay.engine.wire import MAX_RECORDS, Inbox, Outbox, thin
from rnnplay.runs.metrics.records import Record, Step, Validation


def step(number: int) -> Step:
    return Step(
        step=number,
        loss=1.0,
        grad_norm=2.0,
        grad_norm_clipped=1.0,
        clipped=True,
        lr=0.1,
        tokens=number,
        tokens_per_second=1.0,
    )


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "wb", buffering=0) as writer:
        yield reader, writer


def read_events(reader: BinaryIO, until: type) -> list[messages.Event]:
    events: list[messages.Event] = []
    rest = b""
    while not events or not isinstance(events[-1], until):
        *lines, rest = (rest + reader.read(65_536)).split(b"\n")
        events += [decode_line(line, messages.Event) for line in lines]
    return events


def test_records_arrive_in_order_and_before_the_event_that_follows_them() -> None:
    with pipe() as (reader, writer):
        outbox = Outbox(writer, on_closed=lambda: None)
        for number in range(1, 50):
            outbox.record(step(number), 0.5, 1.0)
        outbox.post(messages.Paused(step=49))
        events = read_events(reader, messages.Paused)
        records = [record for event in events if isinstance(event, messages.Progress) for record in event.records]
        assert [record.step for record in records] == list(range(1, 50))
        outbox.close()


def test_a_reader_that_does_not_read_stalls_nothing_and_memory_stays_bounded() -> None:
    with pipe() as (reader, writer):
        outbox = Outbox(writer, on_closed=lambda: None)
        validation = Validation(step=3, loss=1.0, perplexity=2.7, bits_per_character=1.4, best=True)
        for number in range(1, 20_001):
            outbox.record(step(number), 0.0, None)
            if number == 10_000:
                outbox.record(validation, 0.0, None)
        outbox.post(messages.Paused(step=20_000))
        events = read_events(reader, messages.Paused)
        outbox.close()
        progress = [event for event in events if isinstance(event, messages.Progress)]
        steps = [record.step for event in progress for record in event.records if isinstance(record, Step)]
        assert sum(event.dropped for event in progress) + len(steps) == 20_000
        assert len(steps) < 20_000
        assert steps == sorted(steps)
        # Only step records are thinned.
        assert validation in [record for event in progress for record in event.records]


def test_the_newest_completion_replaces_one_that_was_not_sent() -> None:
    with pipe() as (reader, writer):
        outbox = Outbox(writer, on_closed=lambda: None)
        blocker = messages.SampleText(request=1, text="x" * 1_000_000)  # more than a pipe holds
        outbox.post(blocker)
        for request in range(2, 30):
            outbox.post(messages.Completion(request=request, suggestion="", next=[], unknown=[], step=1))
        outbox.post(messages.Paused(step=1))
        requests = [
            event.request for event in read_events(reader, messages.Paused) if isinstance(event, messages.Completion)
        ]
        outbox.close()
        assert requests[-1] == 29
        assert len(requests) <= 2


def test_a_parent_that_is_gone_is_noticed() -> None:
    gone = threading.Event()
    with pipe() as (reader, writer):
        outbox = Outbox(writer, on_closed=gone.set)
        reader.close()
        outbox.post(messages.Paused(step=1))
        assert gone.wait(10)


def test_thin_keeps_everything_but_every_second_step() -> None:
    records: list[Record] = [step(number) for number in range(1, 8)]
    kept, dropped = thin(records)
    assert [record.step for record in kept] == [1, 3, 5, 7]
    assert dropped == 3
    assert MAX_RECORDS > 100


def test_a_ping_is_answered_whatever_the_engine_is_at() -> None:
    pinged = threading.Event()
    with pipe() as (reader, writer):
        inbox = Inbox(reader, lambda _: None, pinged.set)
        writer.write(encode_line(messages.Ping()) + encode_line(messages.Pause()))
        assert pinged.wait(10), "nobody takes commands"
        assert inbox.take(10) == messages.Pause()
        writer.close()
        assert inbox.take(10) == messages.Quit()


def test_commands_arrive_a_bad_line_is_told_and_the_end_means_quit() -> None:
    told: list[str] = []
    with pipe() as (reader, writer):
        inbox = Inbox(reader, told.append)
        writer.write(encode_line(messages.Pause()) + b'{"type":"nonsense"}\nnot json\n\xff\xfe\n')
        writer.write(encode_line(messages.Complete(request=1, text="a\nb")))
        assert inbox.take(10) == messages.Pause()
        assert inbox.take(10) == messages.Complete(request=1, text="a\nb")
        assert len(told) == 3
        writer.close()
        assert inbox.take(10) == messages.Quit()
