"""The mailbox between two threads: in order, a batch at a time, and nothing is left behind."""

from concurrent.futures import ThreadPoolExecutor

from jobs.polling.mailbox import Mailbox


def test_items_are_taken_in_order_a_batch_at_most():
    mailbox = Mailbox()
    for item in range(5):
        mailbox.put(item)
    assert mailbox.take(3, wait=0, linger=0) == [0, 1, 2]
    assert mailbox.take(3, wait=9, linger=0) == [3, 4]
    assert mailbox.take(3, wait=0, linger=9) == []


def test_a_full_batch_ends_the_wait_for_more():
    mailbox = Mailbox()
    with ThreadPoolExecutor(1) as pool:
        batch = pool.submit(mailbox.take, 3, wait=60, linger=60)
        for item in range(3):
            mailbox.put(item)
        assert batch.result(timeout=30) == [0, 1, 2]


def test_every_item_arrives_however_the_threads_take_turns():
    mailbox, count = Mailbox(), 20_000
    received = []

    def put_every_second(first):
        for item in range(first, count, 2):
            mailbox.put(item)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(put_every_second, 0)
        pool.submit(put_every_second, 1)
        while len(received) < count:
            batch = mailbox.take(500, wait=30, linger=0.001)
            assert batch
            received += batch
    assert sorted(received) == list(range(count))
    assert [item for item in received if item % 2] == list(range(1, count, 2))
