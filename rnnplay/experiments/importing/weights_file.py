"""Reads the tensors of a file that another program wrote: safetensors, or what torch.save wrote.

Nothing that is pickled is run: torch reads such files with weights_only, which admits tensors and plain containers.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from rnnplay.common.files import NotPlainError, open_plain
from rnnplay.common.limits import reason, way_out
from rnnplay.common.terminal_text import sanitize_line
from rnnplay.errors import InputError

LARGEST_BYTES = 1 << 33
WITHIN = ("state_dict", "model_state_dict", "model_state", "model", "net", "weights")
"""Keys under which programs keep the tensors of a model, beside those of its optimizer."""

_Metadata = dict[str, str]


def read_tensors(path: Path) -> tuple[dict[str, Tensor], _Metadata]:
    """Reads the tensors of the file, by name, and the metadata of a safetensors file. Raises InputError.

    Only tensors of floating-point numbers are returned, as float32 on the CPU.
    """
    data, metadata = _read(path)
    found = {name: tensor for name, tensor in _tensors(data, path).items() if tensor.is_floating_point()}
    if not found:
        raise InputError(f"{path} has no weight tensors; save model.state_dict() into it.")
    converted: dict[str, Tensor] = {}
    for name, tensor in found.items():
        converted[name] = tensor.detach().to("cpu", torch.float32).contiguous()
        if not bool(converted[name].isfinite().all()):
            raise InputError(f"{path}: {shown(name)} has numbers that are not finite; save another checkpoint.")
    return converted, metadata


def shown(name: str) -> str:
    """A tensor's name for a message."""
    return sanitize_line(name)[:80]


def _read(path: Path) -> tuple[Any, _Metadata]:
    try:
        descriptor = open_plain(path, os.O_RDONLY, follow=True)
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_size > LARGEST_BYTES:
                raise InputError(f"{path} has more than {LARGEST_BYTES:,} bytes, so it is no model of this kind.")
            beginning = file.read(16)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}; check its name.") from error
    except NotPlainError as error:
        raise InputError(f"{path} is a folder, a pipe or a device; name the file with the weights.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({reason(error)}); {way_out(error, reading=True)}.") from error
    if beginning[8:9] == b"{":  # after the length of the header
        try:
            with safetensors.safe_open(path, "pt") as opened:
                metadata = {str(name): str(value) for name, value in (opened.metadata() or {}).items()}
            return safetensors.torch.load_file(path), metadata
        except (safetensors.SafetensorError, ValueError, LookupError, RuntimeError, TypeError) as error:
            raise InputError(f"{path} is not a complete safetensors file; save it again.") from error
    if not beginning.startswith((b"PK", b"\x80")):  # a zip archive or a pickle, as torch.save writes them
        raise _no_weights(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True), {}
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} has other objects than tensors, which are not loaded, as they could run any program; save "
            "model.state_dict() instead of the model."
        ) from error
    except Exception as error:  # whatever torch raises for a file that is not its own
        raise _no_weights(path) from error


def _no_weights(path: Path) -> InputError:
    return InputError(
        f"{path} is neither a safetensors file nor one that torch.save wrote; save model.state_dict() into it."
    )


def _tensors(data: object, path: Path) -> dict[str, Tensor]:
    if not isinstance(data, Mapping):
        raise InputError(f"{path} has no tensors by name; save model.state_dict() into it.")
    tensors = {str(name): tensor for name, tensor in data.items() if isinstance(tensor, Tensor)}
    if tensors:
        return tensors
    for name in WITHIN:
        if isinstance(inner := data.get(name), Mapping) and any(isinstance(one, Tensor) for one in inner.values()):
            return {str(key): tensor for key, tensor in inner.items() if isinstance(tensor, Tensor)}
    keys = ", ".join(shown(str(key)) for key in list(data)[:8]) or "nothing"
    raise InputError(f"{path} has no tensors by name (it has {keys}); save model.state_dict() into it.")
