"""64 unsigned 16-bit sums as one numba value, which stays in vector registers.

With the sums in an array the same loop takes 1.7 times as long: they go through memory each time.
The code is generic LLVM vector arithmetic, so it becomes AVX-512, AVX2, SSE or NEON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

WIDTH = 64  #: sums in one value; a row of bytes of this width is one cache line
BYTES, SUMS, TOTALS = (ir.VectorType(ir.IntType(bits), WIDTH) for bits in (8, 16, 32))

Intrinsic = tuple[Any, Callable[..., Any]]


class LaneSums(types.Type):
    """numba's type of the 64 sums."""

    def __init__(self) -> None:
        super().__init__(name="LaneSums")


@register_model(LaneSums)
class _LaneSumsModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, numba_type: LaneSums) -> None:
        super().__init__(dmm, numba_type, SUMS)


@intrinsic
def zero_sums(typing_context: Any) -> Intrinsic:
    """64 zeros."""
    return LaneSums()(), lambda context, builder, signature, args: ir.Constant(SUMS, None)


@intrinsic
def add_rows(
    typing_context: Any, sums: Any, panel: Any, a: Any, b: Any, c: Any, d: Any, level: Any
) -> Intrinsic:
    """``sums + (panel[a] + panel[b] + panel[c] + panel[d]) * level``.

    ``panel`` is (n, 64) uint8 and C-contiguous, ``level`` uint8. The four rows must add up to less
    than 256 in each column and the result to less than 65,536: overflow is not checked.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[1])(context, builder, args[1]).data
        a, b, c, d = (_load_row(builder, data, row) for row in args[2:6])
        added = builder.add(builder.add(a, b), builder.add(c, d))
        level = builder.zext(args[6], SUMS.element)
        undefined = ir.Constant(SUMS, ir.Undefined)
        first = builder.insert_element(undefined, level, ir.Constant(ir.IntType(32), 0))
        factor = builder.shuffle_vector(first, undefined, ir.Constant(TOTALS, None))
        return builder.add(args[0], builder.mul(builder.zext(added, SUMS), factor))

    return sums(sums, panel, a, b, c, d, level), generate


@intrinsic
def add_to_totals(typing_context: Any, totals: Any, sums: Any) -> Intrinsic:
    """``totals += sums``, where ``totals`` is a (64,) uint32 array."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(data, TOTALS.as_pointer())
        before = builder.load(place, align=4)
        builder.store(builder.add(before, builder.zext(args[1], TOTALS)), place, align=4)
        return context.get_dummy_value()

    return types.void(totals, sums), generate


def _load_row(builder: Any, data: Any, row: Any) -> Any:
    """The 64 bytes of row ``row`` (unsigned)."""
    offset = builder.mul(builder.zext(row, ir.IntType(64)), ir.Constant(ir.IntType(64), WIDTH))
    return builder.load(builder.bitcast(builder.gep(data, [offset]), BYTES.as_pointer()), align=1)
