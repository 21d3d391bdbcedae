"""Trials of precisions as a report holds them."""

from inference.runner.precision.report import Trial

FULL = Trial(
    precision="fp32",
    lowest_cosine=1.0,
    mean_cosine=1.0,
    short_ms=4.0,
    tokens_per_s=4000.0,
    size_bytes=90,
)
INT8 = Trial(
    precision="int8",
    lowest_cosine=0.9992,
    mean_cosine=0.9995,
    short_ms=1.5,
    tokens_per_s=8400.0,
    size_bytes=58,
)
NO_BF16 = Trial(precision="bf16", missing="the optional extra [openvino] is not installed")
