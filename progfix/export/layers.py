"""From modules to the text that builds them, sizes and all."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Collection, Mapping

from torch import Tensor, nn

__all__ = ["attributes", "class_name", "class_source", "encoder_source", "unused_weights"]

_INDENT = " " * 4


def attributes(module: nn.Module, children: Collection[str]) -> str:
    """Return the lines of `__init__` that make a module's parameters, buffers and children.

    Args:
        module: The module.
        children: Names of the child modules to make.
    """
    lines = [
        f"self.{name} = nn.Parameter(torch.zeros({_shape(parameter)}))"
        for name, parameter in module.named_parameters(recurse=False)
    ]
    lines += [
        f'self.register_buffer("{name}", torch.zeros({_shape(buffer)}))'
        for name, buffer in module.named_buffers(recurse=False)
    ]
    lines += [
        f"self.{name} = {_constructor(child)}"
        for name, child in module.named_children()
        if name in children
    ]
    return textwrap.indent("\n".join(lines), 2 * _INDENT)


def class_name(module: nn.Module) -> str:
    """Return the name of a module's class, without the underscore of a private one."""
    return type(module).__name__.removeprefix("_")


def class_source(kind: type[object]) -> str:
    """Return the text of a class of the product, with the classes beside it that it names."""
    text = inspect.getsource(kind)
    home = vars(inspect.getmodule(kind))
    beside = [
        value
        for name in sorted(_names(text) - {kind.__name__})
        if inspect.isclass(value := home.get(name)) and value.__module__ == kind.__module__
    ]
    public = text.replace(kind.__name__, kind.__name__.removeprefix("_"))
    for other in beside:
        public = public.replace(other.__name__, other.__name__.removeprefix("_"))
    return "".join(class_source(other) for other in beside) + f"\n\n{public}"


def unused_weights(encoder: nn.Module) -> tuple[str, ...]:
    """Return how the names of weights begin that embeddings do not depend on."""
    used = _names(_forward(encoder))
    return tuple(f"{name}." for name, _ in encoder.named_children() if name not in used)


def encoder_source(encoder: nn.Module, shapes: str) -> str:
    """Return classes that compute what an encoder computes, on their own.

    The layers are those of this very module; `forward` is the text of the product's own
    method, so that there is one definition.

    Args:
        encoder: An encoder of `progfix.encoders`.
        shapes: What goes in and comes out, for the text.
    """
    classes: dict[str, str] = {}
    _collect(encoder, shapes, classes)
    return "".join(classes.values())


def _collect(module: nn.Module, shapes: str, classes: dict[str, str]) -> None:
    """Add the class of a module of ours, those of its children first."""
    forward = _forward(module)
    used = _names(forward)
    children = [name for name, _ in module.named_children() if name in used]
    for name in children:
        child = module.get_submodule(name)
        for candidate in (child, *child.children()):
            if _is_ours(candidate):
                _collect(candidate, shapes, classes)
    home = vars(inspect.getmodule(type(module)))
    constants = "".join(f"{name} = {value}\n" for name, value in _numbers(home, used).items())
    settings = "".join(
        f"{2 * _INDENT}self.{name} = {value}\n"
        for name, value in _numbers(vars(module), used).items()
    )
    doc = (inspect.getdoc(type(module)) or "").partition("\nArgs:")[0].strip()
    doc = textwrap.indent(doc + ("\n" if "\n" in doc else ""), _INDENT).strip(" ")
    classes[class_name(module)] = (
        (f"\n\n{constants}" if constants else "")
        + f"\n\nclass {class_name(module)}(nn.Module):\n"
        + f'{_INDENT}"""{doc}{_INDENT if doc.endswith(chr(10)) else ""}"""\n\n'
        + f"{_INDENT}def __init__(self) -> None:\n{2 * _INDENT}super().__init__()\n"
        + settings
        + attributes(module, children)
        + "\n\n"
        + textwrap.indent(forward.replace("See `Encoder.forward`.", shapes), _INDENT)
    )


def _forward(module: nn.Module) -> str:
    return textwrap.dedent(inspect.getsource(type(module).forward))


def _names(source: str) -> set[str]:
    """Return every name that a piece of code mentions."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _numbers(table: Mapping[str, object], used: Collection[str]) -> dict[str, int]:
    return {n: value for n, value in table.items() if n in used and isinstance(value, int)}


def _is_ours(module: nn.Module) -> bool:
    return not type(module).__module__.startswith("torch.")


def _constructor(module: nn.Module) -> str:
    """Return the call that builds a module; torch's own show theirs as their `repr`."""
    if _is_ours(module):
        return f"{class_name(module)}()"
    parts = [_constructor(child) for child in module.children()]
    if isinstance(module, nn.ModuleList):
        return f"nn.ModuleList({parts[0]} for _ in range({len(parts)}))"
    if not isinstance(module, nn.Sequential):
        return f"nn.{module!r}"
    inner = textwrap.indent(",\n".join(parts), _INDENT)
    return f"nn.Sequential(\n{inner},\n)"


def _shape(tensor: Tensor) -> str:
    return ", ".join(map(str, tensor.shape)) or "()"
