"""Runs a checkpoint as a host does: converted, tokenized, in one row, through its head."""

from math import inf
from pathlib import Path

from inference.runner.convert import ensure_graph
from inference.runner.encoded import EncodedText
from inference.runner.heads import make_head
from inference.runner.outputs import Output
from inference.runner.packing import pack, unpack
from inference.runner.protocol import HostReply, HostRequest
from inference.runner.session import EncoderSession, laid_out
from inference.runner.tokenizer import TextTokenizer
from inference.types import TaskType

OUTPUT_OF = {
    TaskType.TEXT_EMBEDDING: Output.STATES,
    TaskType.SPARSE_EMBEDDING: Output.LOGITS,
    TaskType.RERANK: Output.SCORE,
}


def run(folder: Path, task_type: TaskType, request: HostRequest, window: int) -> HostReply:
    """What a host of the task with a trained head would answer."""
    output = OUTPUT_OF[task_type]
    ensure_graph(folder, output)
    session = EncoderSession(laid_out(folder / "model.onnx"), threads=1)
    head = make_head(task_type, output, folder, TextTokenizer(folder, window))
    texts, collector = head.start(request, inf)
    row = pack(texts)
    states = unpack(session.run(row), row)
    for number, (text, own) in enumerate(zip(texts, states, strict=True)):
        collector.add(number, EncodedText(text.ids, own, text.truncation))
    return collector.reply()
