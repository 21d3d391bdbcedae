"""`make bench`: speed of serving, memory, chunking, quality, then speed beside peers."""

from bench import chunking, memory, peers, providers, quality, serving
from inference.runner.catalogue import ALL_MINILM_L6_V2
from tests import weights

if __name__ == "__main__":
    weights.main()
    serving.main()
    memory.main([])
    chunking.main()
    quality.main(["--model-dir", str(weights.MIRROR / ALL_MINILM_L6_V2.repository)])
    peers.main()
    providers.main()
