"""What one thread hands to another: in order, a batch at a time, and nothing is left behind."""

from concurrent.futures import ThreadPoolExecutor

from jobs.polling.mailbox import Mail


def test_what_is_there_is_taken_in_order_a_batch_at_most():
    mail = Mail()
    for piece in range(5):
        mail.put(piece)
    assert mail.take(3, wait=0, linger=0) == [0, 1, 2]
    assert mail.take(3, wait=9, linger=0) == [3, 4]
    assert mail.take(3, wait=0, linger=9) == []


def test_a_full_batch_ends_the_wait_for_more():
    mail = Mail()
    with ThreadPoolExecutor(1) as other:
        taken = other.submit(mail.take, 3, wait=60, linger=60)
        for piece in range(3):
            mail.put(piece)
        assert taken.result(timeout=30) == [0, 1, 2]


def test_every_piece_arrives_however_the_threads_take_turns():
    mail, found, many = Mail(), [], 20_000
    with ThreadPoolExecutor(2) as others:
        for start in (0, 1):
            others.submit(lambda start=start: [mail.put(piece) for piece in range(start, many, 2)])
        while len(found) < many:
            took = mail.take(500, wait=30, linger=0.001)
            assert took
            found += took
    assert sorted(found) == list(range(many))
    assert [piece for piece in found if piece % 2] == list(range(1, many, 2))
