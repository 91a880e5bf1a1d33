"""The demo's content in words of our own, and responses to it that were sampled once from the
packaged model.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
MODEL_NAME = "SmolLM2-135M-Instruct"
MODEL_LICENCE = "Apache-2.0"
# The source of the sampled responses, and of the model once it is registered. A rater never sees
# it, and it tells nothing.
SOURCE_NAME = "model-demo"
