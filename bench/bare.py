"""The limit that serving is measured against: the tokenizer and ONNX Runtime, nothing else."""

import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from inference.arrays import FloatArray

WINDOW = 256


class BareModel:
    """A plain session over the plain graph, on as many threads as the machine has cores."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(WINDOW)
        self.tokenizer.enable_padding()
        options = ort.SessionOptions()
        options.intra_op_num_threads = os.cpu_count() or 1
        self.session = ort.InferenceSession(
            folder / "model.onnx", options, providers=["CPUExecutionProvider"]
        )

    def embed(self, texts: list[str]) -> FloatArray:
        """Encode the texts as one padded batch, average, scale to length one."""
        encodings = self.tokenizer.encode_batch_fast(texts)
        ids = np.array([encoding.ids for encoding in encodings], np.int32)
        real = np.array([encoding.attention_mask for encoding in encodings], np.int32)
        feed = {
            "input_ids": ids,
            "token_type_ids": np.zeros_like(ids),
            "position_ids": np.tile(np.arange(ids.shape[1], dtype=np.int32), (len(ids), 1)),
            "mask": np.repeat(real[:, None, :], ids.shape[1], axis=1),
        }
        states = self.session.run(["states"], feed)[0]
        vectors: FloatArray = (states * real[..., None]).sum(axis=1) / real.sum(axis=1)[:, None]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def count_tokens(self, texts: list[str]) -> int:
        return sum(sum(one.attention_mask) for one in self.tokenizer.encode_batch_fast(texts))
