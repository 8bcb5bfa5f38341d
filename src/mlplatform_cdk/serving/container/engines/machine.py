"""What this machine has: a GPU or none, and which."""

import ctypes
import os
import re
from pathlib import Path

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_{MAJOR,MINOR} in cuda.h
_NO_DEVICES = ("", "none", "void")
_COMPATIBLE = Path("usr/local/cuda/compat")  # where NVIDIA's images have a newer driver's libraries
_BESIDE = ("libnvidia-nvvm.so.4", "libnvidia-ptxjitcompiler.so.1")  # what libcuda.so.1 asks for by name


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


def load_driver(root: Path = Path("/")) -> None:
    """Take the driver's libraries that the image brings where the machine's own are of an older release.

    An image's CUDA may be newer than the machine's driver, which NVIDIA allows on data center GPUs
    (https://docs.nvidia.com/deploy/cuda-compatibility/forward-compatibility.html), and its container runtime leaves to
    the image (https://docs.aws.amazon.com/sagemaker/latest/dg/container-nvidia-compliance.html). What is loaded here is
    found by whoever asks for it by name later. Never seen on a GPU.

    :param root: the root of the file system.
    """
    told = root / "proc/driver/nvidia/version"
    library = root / _COMPATIBLE / "libcuda.so.1"
    if not told.is_file() or not library.is_file():
        return
    own = re.search(r"\b(\d+)\.\d", told.read_text(encoding="ascii"))
    brought = re.search(r"\.so\.(\d+)\.", library.resolve().name)
    if own and brought and int(own[1]) < int(brought[1]):
        for one in (*(library.with_name(name) for name in _BESIDE), library):
            if one.is_file():
                ctypes.CDLL(str(one), mode=ctypes.RTLD_GLOBAL)


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
