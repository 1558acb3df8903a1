"""PostgreSQL's binary COPY, byte by byte for one row."""

import numpy as np

from shared.database import binary_copy


def test_an_array_by_hand():
    row = binary_copy.rows([binary_copy.int8_array(np.array([[-1, 2]]))])
    assert row == bytes.fromhex(
        "0001"  # one field
        "0000002c"  # of 44 bytes:
        "00000001 00000000 00000014"  # one dimension, no nulls, of int8 (20)
        "00000002 00000001"  # two elements, from 1
        "00000008 ffffffffffffffff"
        "00000008 0000000000000002"
    )


def test_fields_have_their_lengths():
    row = binary_copy.rows([binary_copy.int4([7]), binary_copy.text(["AB"], 1)])
    assert row == b"\x00\x02" + b"\x00\x00\x00\x04\x00\x00\x00\x07" + b"\x00\x00\x00\x02AB"


def test_dates_count_from_2000():
    days = np.array(["1999-12-31", "2000-01-01", "2024-02-29"], dtype="datetime64[D]")
    assert binary_copy.date(days).values.tolist() == [-1, 0, 8825]
