"""When a job is polled next."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.diagnosis.usual import Usual
from jobs.ges import errors
from jobs.ges.words import Verdict
from jobs.polling import schedule

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
THREE_HOURS = Usual(median=3 * HOUR, p90=4 * HOUR, count=20)
TEN_SECONDS = Usual(median=10 * SECOND, p90=12 * SECOND, count=20)
TWO_DAYS = Usual(median=48 * HOUR, p90=50 * HOUR, count=20)


@pytest.mark.parametrize(
    ("verdict", "age", "usual", "interval"),
    [
        ("pending", 0 * SECOND, None, 5 * SECOND),
        ("running", -9 * SECOND, None, 5 * SECOND),  # clocks that disagree
        ("running", 299 * SECOND, THREE_HOURS, 5 * SECOND),
        ("running", 5 * MINUTE, None, 20 * SECOND),
        ("running", 59 * MINUTE, TEN_SECONDS, 20 * SECOND),
        ("running", 1 * HOUR, None, 2 * MINUTE),
        ("running", 24 * HOUR, None, 15 * MINUTE),
        ("running", 10 * MINUTE, THREE_HOURS, 5 * MINUTE),  # (144 - 10) / 4 min is more
        ("running", 132 * MINUTE, THREE_HOURS, 3 * MINUTE),  # (144 - 132) / 4 min
        ("running", 143.5 * MINUTE, THREE_HOURS, 20 * SECOND),
        ("running", 150 * MINUTE, THREE_HOURS, 1 * MINUTE),  # 180 / 50 min is more
        (
            "running",
            10 * MINUTE,
            Usual(median=10 * MINUTE, p90=12 * MINUTE, count=9),
            12 * SECOND,
        ),  # 600 / 50 s
        ("running", 241 * MINUTE, THREE_HOURS, 2 * MINUTE),  # past its usual end: by its age
        ("running", 49 * HOUR, TWO_DAYS, 1 * MINUTE),
        ("unknown", 1 * SECOND, None, 15 * MINUTE),
        ("success", 1 * SECOND, None, None),
        ("cancelled", 9 * HOUR, THREE_HOURS, None),
    ],
)
def test_poll_intervals_grow_with_age_and_shrink_near_the_usual_end(verdict, age, usual, interval):
    assert schedule.poll_interval(Verdict(verdict), age, usual) == interval


def test_a_final_status_is_confirmed_once():
    times = {"began_at": NOW - HOUR, "now": NOW}
    assert schedule.next_poll(Verdict.SUCCESS, was_final=False, **times) == NOW + 10 * MINUTE
    assert schedule.next_poll(Verdict.SUCCESS, was_final=True, **times) is None
    assert schedule.next_poll(Verdict.RUNNING, was_final=True, **times) == NOW + 2 * MINUTE


def error(kind, *, retry_after=None, code="", status=400):
    failure = kind(status, code, "") if issubclass(kind, errors.ErrorReply) else kind("")
    failure.retry_after = retry_after
    return failure


NO_SUCH_JOB = error(errors.ErrorReply, code="GES.8301")
FAILURES = [
    (error(errors.Unreachable), [5, 10, 20, 40, 80, 160, 320, 600, 600]),
    (error(errors.TimedOut), [5, 10, 20]),
    (error(errors.ErrorReply, status=503), [5, 10, 20]),
    (error(errors.NotAJobStatus), [10, 20, 40, 80, 160, 320, 640, 900]),
    (error(errors.Throttled, status=429), [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]),
    (error(errors.Throttled, status=429, retry_after=7), [7, 7]),
    (error(errors.Throttled, status=429, retry_after=0), [1]),
    (error(errors.Throttled, status=429, retry_after=1e9), [3600]),
    (error(errors.CredentialsRefused, status=401), [60, 120, 240, 480, 900, 900]),
    (error(errors.NoCredentials), [60, 120]),
    (error(errors.WrongJob), [60, 120, 240, 480, 960, 1920, 3600]),
    (error(errors.TooLarge), [60, 120]),
    (error(errors.ErrorReply, code="GES.7000"), [60, 120, 240]),
    (NO_SUCH_JOB, [60, 120, 240, 480, None]),
    (error(errors.ErrorReply, code="GES.7007"), [60, 120, 240, 480, None]),
]


@pytest.mark.parametrize(("failure", "waits"), FAILURES)
def test_each_kind_of_failure_has_its_own_backoff(failure, waits):
    planned = [schedule.after_failure(failure, n, jitter=0) for n in range(1, len(waits) + 1)]
    assert planned == [None if wait is None else timedelta(seconds=wait) for wait in waits]


@pytest.mark.parametrize("failure", [failure for failure, _ in FAILURES])
@pytest.mark.parametrize("failures", [1, 4, 1000])
def test_jitter_adds_up_to_a_quarter_and_no_wait_exceeds_an_hour(failure, failures):
    least, most = (schedule.after_failure(failure, failures, jitter=jitter) for jitter in (0, 1))
    if least is None:
        assert most is None
        return
    assert most == min(least * 1.25, HOUR)


def test_a_job_that_ges_never_knew_is_polled_once():
    assert schedule.after_failure(NO_SUCH_JOB, 1, jitter=0, was_heard=False) is None
    assert (
        schedule.after_failure(error(errors.TimedOut), 1, jitter=0, was_heard=False) == 5 * SECOND
    )


def test_confirming_a_final_status_ends_after_three_failures():
    waits = [
        schedule.after_failure(error(errors.TimedOut), n, jitter=0, is_final=True)
        for n in (1, 2, 3)
    ]
    assert waits == [5 * SECOND, 10 * SECOND, None]
    assert schedule.after_failure(NO_SUCH_JOB, 1, jitter=0, is_final=True) is None


@pytest.mark.parametrize(
    "kind",
    [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)],
)
def test_every_kind_of_error_has_a_backoff(kind):
    assert schedule.after_failure(error(kind), 1, jitter=0) > timedelta()
