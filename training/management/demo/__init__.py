"""The demo's content, written for this project, and responses sampled once from the
packaged model.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
MODEL_NAME = "SmolLM2-135M-Instruct"
MODEL_LICENCE = "Apache-2.0"
# The source of the sampled responses, and of the model once it is registered. Raters never see it.
SOURCE_NAME = "model-demo"
