"""What this machine has: a GPU or none, and which."""

import ctypes
import os
from pathlib import Path

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_{MAJOR,MINOR} in cuda.h
_NO_DEVICES = ("", "none", "void")


def signs_of_gpu(root: Path = Path("/")) -> str:
    """What shows that this machine was given an NVIDIA GPU; empty where nothing does.

    :param root: the root of the file system.
    """
    devices = sorted((root / "dev").glob("nvidia[0-9]*"))
    if devices:
        return f"/dev/{devices[0].name}"
    if (root / "dev" / "dxg").exists():  # Windows' subsystem for Linux
        return "/dev/dxg"
    # The NVIDIA container runtime's own variable: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit
    wanted = os.environ.get("NVIDIA_VISIBLE_DEVICES", "")
    return f"NVIDIA_VISIBLE_DEVICES={wanted}" if wanted.lower() not in _NO_DEVICES else ""


def compute_capability() -> str | None:
    """The first GPU's architecture, such as ``8.6``, asked of the driver; None where no driver answers."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0):
        return None
    for value, attribute in ((major, _MAJOR), (minor, _MINOR)):
        if driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device):
            return None
    return f"{major.value}.{minor.value}"


def tensorrt_version() -> str | None:
    """The version of TensorRT's library as ``getInferLibVersion`` tells it; None where there is none."""
    for name in ("libnvinfer.so.11", "libnvinfer.so.10"):
        try:
            return str(ctypes.CDLL(name).getInferLibVersion())
        except (OSError, AttributeError):
            continue
    return None
