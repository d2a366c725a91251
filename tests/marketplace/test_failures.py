"""What staff read of a failure: kind and sentence, never what a database said word for word."""

import pytest

from marketplace import failures
from marketplace.errors import NotReady

DETAIL = "duplicate key value violates unique constraint\nDETAIL:  Key (email)=(somebody@example.com) already exists."


@pytest.mark.parametrize(
    ("error", "kind", "begins"),
    [
        (f"IntegrityError: {DETAIL}", "IntegrityError", "The database refused"),
        ("OperationalError: server closed the connection unexpectedly", "OperationalError", "The database did not"),
        ("ReadTimeout: https://bank.example/secret", "ReadTimeout", "The other side did not answer"),
        ("FileNotFoundError: [Errno 2] /var/lib/databourse/storage/x", "FileNotFoundError", "A file could not be"),
        ("KeyError: 'somebody'", "KeyError", "A fault of the exchange"),
        (f"{NotReady.__name__}: The paper waits for its seal.", "NotReady", "The paper waits for its seal."),
        ("TryLater: the storage cannot be read", "TryLater", "the storage cannot be read"),
        ("the account refuses it", "", "the account refuses it"),
        ("", "", "Nothing was said"),
    ],
)
def test_a_failure_is_named_and_told_in_words(error, kind, begins):
    words = failures.words_for(error)
    assert failures.kind_of(error) == kind and words.startswith(begins)
    for secret in ("somebody@", "https://", "/var/lib"):
        assert secret not in words
