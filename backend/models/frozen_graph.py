"""Reads the numbers out of a frozen TensorFlow graph without TensorFlow: the protocol buffer's wire format and its Const nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from backend.errors import ModelError

# Field numbers of tensorflow/core/framework: GraphDef.node 1; NodeDef name 1, op 2, input 3, attr 5 (a map: key 1, value 2);
# AttrValue.tensor 8; TensorProto dtype 1, tensor_shape 2, tensor_content 4, float_val 5, int_val 7; TensorShapeProto.dim 2, its size 1.
_FLOAT, _INT = 1, 3
_Field = tuple[int, int, "int | memoryview"]


@dataclass(frozen=True)
class Node:
    """One step of the graph: name, operation, the names of its inputs, and its attributes as raw bytes."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, memoryview] = field(repr=False)

    def constant(self) -> np.ndarray:
        """The numbers of a Const node: float32 or int32, in their shape.

        Raises
        ------
        ModelError
            When the node holds something else.
        """
        value = self.attributes.get("value")
        tensor = next((part for number, _, part in _fields(value) if number == 8), None) if value is not None else None
        if self.op != "Const" or not isinstance(tensor, memoryview):
            raise ModelError(f"The step {self.name} of the network holds no numbers.", "Remove the model and fetch it again.")
        kind, shape, numbers = _FLOAT, [], np.zeros(0, dtype=np.float32)
        for number, _wire, part in _fields(tensor):
            if number == 1 and isinstance(part, int):
                kind = part
            elif number == 2 and isinstance(part, memoryview):
                shape = [_size(dim) for at, _, dim in _fields(part) if at == 2 and isinstance(dim, memoryview)]
            elif number == 4 and isinstance(part, memoryview):
                numbers = np.frombuffer(part, dtype="<i4" if kind == _INT else "<f4")
            elif number == 5 and isinstance(part, memoryview):
                numbers = np.frombuffer(part, dtype="<f4")
            elif number == 7:
                found = [part] if isinstance(part, int) else list(_varints(part))
                numbers = np.array(found, dtype=np.uint64).astype(np.uint32).view(np.int32)
        if kind not in (_FLOAT, _INT):
            raise ModelError(f"The step {self.name} of the network holds numbers of an unknown kind ({kind}).", "Fetch the model again.")
        wanted = int(np.prod(shape)) if shape else 1
        if numbers.size == 1 and wanted > 1:
            numbers = np.repeat(numbers, wanted)  # the format writes a constant tensor's one value once
        if numbers.size != wanted:
            raise ModelError(f"The step {self.name} of the network holds {numbers.size} numbers of {wanted}.", "Fetch the model again.")
        return numbers.reshape(shape)


def read_graph(file: Path) -> dict[str, Node]:
    """Every node of a frozen graph by name, in the file's order.

    Raises
    ------
    ModelError
        When the file is no such graph.
    """
    try:
        return {node.name: node for node in map(_node, _messages(memoryview(file.read_bytes()), 1))}
    except (IndexError, ValueError) as error:
        raise ModelError(f"{file.name} is not a readable network.", "Remove the model and fetch it again.") from error


def _node(raw: memoryview) -> Node:
    name = op = ""
    inputs: list[str] = []
    attributes: dict[str, memoryview] = {}
    for number, _, part in _fields(raw):
        if not isinstance(part, memoryview):
            continue
        if number == 1:
            name = bytes(part).decode()
        elif number == 2:
            op = bytes(part).decode()
        elif number == 3:
            inputs.append(bytes(part).decode())
        elif number == 5:
            pair = {at: value for at, _, value in _fields(part) if isinstance(value, memoryview)}
            attributes[bytes(pair[1]).decode()] = pair[2]
    return Node(name, op, tuple(inputs), attributes)


def _messages(raw: memoryview, wanted: int) -> Iterator[memoryview]:
    return (part for number, _, part in _fields(raw) if number == wanted and isinstance(part, memoryview))


def _size(dim: memoryview) -> int:
    return next((part for number, _, part in _fields(dim) if number == 1 and isinstance(part, int)), 0)


def _fields(raw: memoryview) -> Iterator[_Field]:
    """Field number, wire type and content of a message: a number (varint) or bytes."""
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(raw, at)
            yield number, wire, value
            continue
        if wire == 2:
            size, at = _varint(raw, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(raw):
            raise ValueError("the message ends too early")
        yield number, wire, raw[at : at + size]
        at += size


def _varint(raw: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than ten bytes")


def _varints(raw: memoryview) -> Iterator[int]:
    at = 0
    while at < len(raw):
        value, at = _varint(raw, at)
        yield value
