"""`make bench`: speed first, then quality."""

from bench import quality, serving
from inference.runner.catalogue import ALL_MINILM_L6_V2
from tests import weights

if __name__ == "__main__":
    weights.main()
    serving.main()
    quality.main(["--model-dir", str(weights.MIRROR / ALL_MINILM_L6_V2.repository)])
