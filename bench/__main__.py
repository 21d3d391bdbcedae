"""`make bench`: speed of serving, memory, chunking, quality, peers, providers, and the pages."""

from bench import chunking, memory, pages, peers, providers, quality, serving
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
    pages.main([])
