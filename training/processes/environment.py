"""The environment that child processes inherit: an allow-list. They run models and code that others
wrote, and whatever a site or its cloud keeps in a variable is a secret until it is known not to be.
"""

import os
import re

from django.conf import settings

NAMES = frozenset(
    [
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "HOSTNAME"),
        *("TMPDIR", "TMP", "TEMP", "VIRTUAL_ENV", "CONDA_PREFIX", "CC", "CXX", "CPATH"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "LIBRARY_PATH"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
        *("http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("PREFERABLY_HOME", "PREFERABLY_MODE", "PREFERABLY_ROLLOUT_URL", "PREFERABLY_TRACKERS"),
    ]
)
PREFIXES = (
    *("LC_", "XDG_", "PYTHON", "MALLOC_", "COVERAGE_", "COV_CORE_"),
    *("CUDA_", "NVIDIA_", "NCCL_", "GPU_", "ROCR_", "HIP_", "HSA_", "AMD_", "MIOPEN_"),
    *("GLOO_", "UCX_", "FI_", "IB_", "OMPI_", "MPI_", "TP_"),
    *("OMP_", "MKL_", "KMP_", "GOMP_", "OPENBLAS_", "BLIS_", "NUMEXPR_", "NUMBA_"),
    *("TORCH", "PYTORCH_", "TRITON_", "XFORMERS_", "FLASH_", "BNB_", "CUBLAS_", "CUDNN_"),
    *("HF_", "TRANSFORMERS_", "TOKENIZERS_", "DATASETS_", "SAFETENSORS_", "ACCELERATE_"),
    *("VLLM_", "FSDP_"),
)
_SECRET = re.compile(
    r"TOKEN(?!IZER)|SECRET|PASSW|PASSPHRASE|CREDENTIAL|HEADERS|COOKIE|_?KEY(S|$|_)|_PAT$|_AUTH",
    re.IGNORECASE,
)
"""Also below an allowed prefix: HF_TOKEN, VLLM_API_KEY"""


def without_secrets() -> dict[str, str]:
    """What of the environment a child needs to find its programs, its GPUs and its caches. A
    process that needs a secret is given it explicitly.

    Trackers of runs read their own variables, the keys among them. An operator names further
    variables in PREFERABLY_CHILD_VARIABLES.
    """
    trackers = tuple(f"{name.upper()}_" for name in settings.TRACKERS)
    return {
        name: value
        for name, value in os.environ.items()
        if name in settings.CHILD_VARIABLES or name.startswith(trackers) or _is_harmless(name)
    }


def _is_harmless(name: str) -> bool:
    return name in NAMES or (name.startswith(PREFIXES) and not _SECRET.search(name))


def key_of(variable: str) -> str:
    """The key of an endpoint; "" if none is named or set. Other variables are not read."""
    return str(settings.ENDPOINT_KEYS.get(variable, ""))
