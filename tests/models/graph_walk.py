"""A frozen TensorFlow graph executed node by node in torch, in its own 'same' padding: slow, and independent of our network."""

import numpy as np
import torch

from backend.models.frozen_graph import Node, _fields


def run_graph(nodes: dict[str, Node], x: np.ndarray, wanted: str) -> np.ndarray:
    """The value of the node `wanted` for letters `x` of shape (batch, length, 4)."""
    held: dict[str, object] = {"x": torch.from_numpy(x)}
    order: list[str] = []
    seen, stack = set(), [(wanted, False)]
    while stack:  # the nodes that `wanted` needs, inputs first
        name, ready = stack.pop()
        if ready:
            order.append(name)
        elif name not in seen:
            seen.add(name)
            stack.append((name, True))
            stack += [(source, False) for source in nodes[name].inputs if not source.startswith("^")]
    uses = {name: sum(name in nodes[other].inputs for other in order) for name in order}
    for name in order:
        node = nodes[name]
        if name not in held:
            held[name] = _step(node, [held[source] for source in node.inputs if not source.startswith("^")])
        for source in node.inputs:
            if source in uses:
                uses[source] -= node.inputs.count(source)
                if uses[source] <= 0:
                    held.pop(source, None)
    return np.asarray(held[wanted])


def _number(node: Node, name: str) -> int:
    return next((value for _, _, value in _fields(node.attributes[name]) if isinstance(value, int)), 0) if name in node.attributes else 0


def _integers(value: object) -> list[int]:
    return [int(item) for item in np.asarray(value).ravel()]


def _step(node: Node, given: list) -> object:
    op = node.op
    if op == "Const":
        return torch.from_numpy(node.constant().copy())
    if op == "Identity":
        return given[0]
    if op == "ExpandDims":
        return given[0].unsqueeze(_integers(given[1])[0])
    if op == "Squeeze":
        return given[0].squeeze(1)  # always the height of one that ExpandDims put in
    if op == "Conv2D":
        kernel = given[1].permute(3, 2, 0, 1)
        same = b"SAME" in bytes(node.attributes["padding"])
        return torch.conv2d(given[0].permute(0, 3, 1, 2), kernel, padding="same" if same else "valid").permute(0, 2, 3, 1)
    if op == "SpaceToBatchND":
        return _split(given[0], _integers(given[1]), np.asarray(given[2]).reshape(-1, 2))
    if op == "BatchToSpaceND":
        return _join(given[0], _integers(given[1]), np.asarray(given[2]).reshape(-1, 2))
    if op == "Shape":
        return torch.tensor(given[0].shape)
    if op == "Pack":
        return torch.stack([torch.as_tensor(item) for item in given], dim=_number(node, "axis"))
    if op == "StridedSlice":
        return _slice(node, given)
    if op in ("AddV2", "BiasAdd"):
        return given[0] + given[1]
    if op == "Sub":
        return given[0] - given[1]
    if op == "Mul":
        return given[0] * given[1]
    if op == "FloorMod":
        return torch.remainder(given[0], given[1])
    if op == "RealDiv":
        return given[0] / given[1]
    if op == "Rsqrt":
        return torch.rsqrt(given[0])
    if op == "Relu":
        return torch.relu(given[0])
    if op == "Exp":
        return torch.exp(given[0])
    if op in ("Max", "Sum", "Mean"):
        make = {"Max": torch.amax, "Sum": torch.sum, "Mean": torch.mean}[op]
        return make(given[0], dim=_integers(given[1])[0], keepdim=bool(_number(node, "keep_dims")))
    raise NotImplementedError(op)


def _slice(node: Node, given: list) -> torch.Tensor:
    starts, ends, steps = (_integers(part) for part in given[1:4])
    masks = [_number(node, name) for name in ("begin_mask", "end_mask", "shrink_axis_mask", "new_axis_mask", "ellipsis_mask")]
    if masks[3] or masks[4]:
        raise NotImplementedError("new axes in a slice")
    places: list[object] = []
    for at, (start, end, step) in enumerate(zip(starts, ends, steps, strict=True)):
        if masks[2] >> at & 1:
            places.append(start)
        else:
            places.append(slice(None if masks[0] >> at & 1 else start, None if masks[1] >> at & 1 else end, step))
    return given[0][tuple(places)]


def _split(x: torch.Tensor, block: list[int], paddings: np.ndarray) -> torch.Tensor:
    """Every d-th place of the one spatial axis becomes a batch of its own (axis 1, or axis 2 where the first block is 1)."""
    axis = 1 + next((at for at, size in enumerate(block) if size > 1), 0)
    size, (front, back) = block[axis - 1], (int(value) for value in paddings[axis - 1])
    pad = [0, 0] * (x.dim() - 1 - axis) + [front, back]
    x = torch.nn.functional.pad(x, pad)
    return torch.cat(
        [x.narrow(axis, phase, x.shape[axis] - phase)[(slice(None),) * axis + (slice(None, None, size),)] for phase in range(size)]
    )


def _join(x: torch.Tensor, block: list[int], crops: np.ndarray) -> torch.Tensor:
    axis = 1 + next((at for at, size in enumerate(block) if size > 1), 0)
    size, (front, back) = block[axis - 1], (int(value) for value in crops[axis - 1])
    phases = torch.stack(x.chunk(size), dim=axis + 1)
    whole = phases.flatten(axis, axis + 1)
    return whole.narrow(axis, front, whole.shape[axis] - front - back)
