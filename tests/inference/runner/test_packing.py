import numpy as np
import pytest

from inference.arrays import FloatArray, IntArray
from inference.runner.packing import pack, unpack
from inference.runner.session import EncoderSession, laid_out
from tests.tiny import write_tiny_model


def ids(*numbers: int) -> IntArray:
    return np.array(numbers, np.int32)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> EncoderSession:
    folder = write_tiny_model(tmp_path_factory.mktemp("tiny"))
    return EncoderSession(laid_out(folder / "model.onnx"), threads=1)


def states_of(session: EncoderSession, *texts: IntArray) -> list[FloatArray]:
    row = pack(texts)
    return unpack(session.run(row.ids, row.positions, row.mask), row)


def test_a_row_holds_the_texts_behind_one_another() -> None:
    row = pack([ids(2, 5, 3), ids(2, 3)])

    assert row.ids.tolist() == [[2, 5, 3, 2, 3]]
    assert row.positions.tolist() == [[0, 1, 2, 0, 1]]
    assert row.starts == (0, 3)


def test_a_token_attends_only_to_its_own_text() -> None:
    row = pack([ids(2, 3), ids(2, 5, 3)])

    assert row.mask[0].tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 1, 1],
    ]


def test_a_packed_text_gets_the_states_of_the_text_alone(session: EncoderSession) -> None:
    texts = [ids(2, 10, 11, 3), ids(2, 3), ids(2, 20, 21, 22, 23, 24, 3), ids(2, 10, 11, 3)]

    packed = states_of(session, *texts)

    for text, states in zip(texts, packed, strict=True):
        np.testing.assert_allclose(states, states_of(session, text)[0], atol=1e-5)
    np.testing.assert_allclose(packed[0], packed[3], atol=1e-5)


def test_states_come_back_in_the_order_and_length_of_the_texts(session: EncoderSession) -> None:
    packed = states_of(session, ids(2, 9, 3), ids(2, 9, 9, 9, 3))

    assert [len(states) for states in packed] == [3, 5]
