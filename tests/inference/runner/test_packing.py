from collections.abc import Sequence

import numpy as np
import pytest

from inference.arrays import FloatArray
from inference.runner.packing import pack, unpack
from inference.runner.session import EncoderSession, laid_out
from inference.runner.tokenizer import TokenizedText
from tests.tiny import write_tiny_model


def text(*ids: int, types: Sequence[int] | None = None) -> TokenizedText:
    own = None if types is None else np.array(types, np.int32)
    return TokenizedText(np.array(ids, np.int32), types=own)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> EncoderSession:
    folder = write_tiny_model(tmp_path_factory.mktemp("tiny"))
    return EncoderSession(laid_out(folder / "model.onnx"), threads=1)


def states_of(session: EncoderSession, *texts: TokenizedText) -> list[FloatArray]:
    row = pack(texts)
    return unpack(session.run(row), row)


def test_a_row_holds_the_texts_behind_one_another() -> None:
    row = pack([text(2, 5, 3), text(2, 3)])

    assert row.ids.tolist() == [[2, 5, 3, 2, 3]]
    assert row.positions.tolist() == [[0, 1, 2, 0, 1]]
    assert row.types.tolist() == [[0, 0, 0, 0, 0]]
    assert row.starts == (0, 3)


def test_a_pair_keeps_its_token_types_among_others() -> None:
    row = pack([text(2, 3), text(2, 5, 3, 6, 3, types=(0, 0, 0, 1, 1))])

    assert row.types.tolist() == [[0, 0, 0, 0, 0, 1, 1]]


def test_a_token_attends_only_to_its_own_text() -> None:
    row = pack([text(2, 3), text(2, 5, 3)])

    assert row.mask[0].tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 1, 1],
    ]


def test_a_packed_text_gets_the_states_of_the_text_alone(session: EncoderSession) -> None:
    texts = [text(2, 10, 11, 3), text(2, 3), text(2, 20, 21, 22, 23, 24, 3), text(2, 10, 11, 3)]

    packed = states_of(session, *texts)

    for alone, states in zip(texts, packed, strict=True):
        np.testing.assert_allclose(states, states_of(session, alone)[0], atol=1e-5)
    np.testing.assert_allclose(packed[0], packed[3], atol=1e-5)


def test_states_come_back_in_the_order_and_length_of_the_texts(session: EncoderSession) -> None:
    packed = states_of(session, text(2, 9, 3), text(2, 9, 9, 9, 3))

    assert [len(states) for states in packed] == [3, 5]
