"""What a pickle would import, found by reading its opcodes and executing none."""

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterator

__all__ = ["ALLOWED", "LEGACY_MAGIC", "imports", "pickles"]

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""The number that opens a file of torch.save before 1.6, itself a pickle."""

ALLOWED = frozenset(
    {
        "collections.OrderedDict",
        "easydict.EasyDict",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_tensor_v2",
        *(
            f"torch.{kind}Storage"
            for kind in (
                "BFloat16",
                "Bool",
                "Byte",
                "Char",
                "Double",
                "Float",
                "Half",
                "Int",
                "Long",
                "Short",
            )
        ),
    }
)
"""What a checkpoint may import: dense tensors, state dicts and the users' configuration.

Narrower than torch's own list for weights-only loading, which also lets a few bytes ask
for a tensor or a byte array of any size.
"""

_Opcode = tuple[str, object]
_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # protocol 2 has old names


def pickles(data: bytes) -> Iterator[list[_Opcode]]:
    """Take apart pickles that follow each other.

    Args:
        data: One or more pickles, and whatever comes after the last.

    Yields:
        The opcodes of each pickle, as (name, argument).

    Raises:
        ValueError: Where something follows that is no complete pickle.
    """
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        yield [(opcode.name, argument) for opcode, argument, _ in pickletools.genops(stream)]


def imports(opcodes: list[_Opcode]) -> set[str]:
    """Return the dotted names that a pickle imports.

    Names that are put together while the pickle runs cannot be told; they appear as
    "a name made at run time". Weights-only loading refuses the opcode that uses them.
    """
    found: set[str] = set()
    strings: list[str] = []
    memo: dict[object, str] = {}
    memoized = 0
    pushed = False
    for name, argument in opcodes:
        if name in ("GLOBAL", "INST"):
            module, _, attribute = str(argument).partition(" ")
            found.add(f"{_MODULES.get(module, module)}.{attribute}")
        elif name == "STACK_GLOBAL":
            found.add(".".join(strings[-2:]) if len(strings) > 1 else "a name made at run time")
        elif name.startswith("EXT"):
            found.add(f"extension {argument}")
        key = memoized if name == "MEMOIZE" else argument
        if name == "MEMOIZE":
            memoized += 1
        if name == "MEMOIZE" or name.endswith("PUT"):
            if pushed:
                memo[key] = strings[-1]
            continue
        if name.endswith("GET") and argument in memo:
            strings.append(memo[argument])
            pushed = True
        else:
            pushed = "UNICODE" in name or "STRING" in name
            if pushed:
                strings.append(str(argument))
    return found
