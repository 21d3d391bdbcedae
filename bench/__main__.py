"""`make bench`: speed of serving and of chunking, then quality."""

from bench import chunking, quality, serving
from inference.runner.catalogue import ALL_MINILM_L6_V2
from tests import weights

if __name__ == "__main__":
    weights.main()
    serving.main()
    chunking.main()
    quality.main(["--model-dir", str(weights.MIRROR / ALL_MINILM_L6_V2.repository)])
